import { DELETE_IF, HOLD, RUN_NOW } from "../../agents/stores/redis-scripts.ts";
import { HOLD_PREFIX } from "../../agents/stores/store.ts";
import type { Script } from "./commands.ts";

/** The twins of `aec`'s Lua scripts; the contract suite holds them to what a real Redis does with the text. */
export const SCRIPTS: ReadonlyMap<string, Script> = new Map<string, Script>([
  [
    RUN_NOW,
    (keyspace, [agent = ""], [idleMs]) => {
      const value = keyspace.get(agent);
      if (value === undefined || value === null) return "due";
      if (value.startsWith(HOLD_PREFIX)) return "held";
      const life = keyspace.pttl(agent);
      if (life < 0) return "foreign";
      if (life > Number(idleMs)) return "running";
      keyspace.del(agent);
      return "released";
    },
  ],
  [
    HOLD,
    (keyspace, [agent = ""], [own = "", lifeMs, idleMs]) => {
      const value = keyspace.get(agent);
      if (value && value !== own) {
        if (value.startsWith(HOLD_PREFIX)) return "held";
        const life = keyspace.pttl(agent);
        if (life < 0) return "foreign";
        if (life > Number(idleMs)) return "running";
      }
      keyspace.set(agent, own, { px: Number(lifeMs) });
      return "set";
    },
  ],
  [
    DELETE_IF,
    (keyspace, [agent = ""], [value, maxLifeMs]) => {
      if (keyspace.get(agent) !== value) return 0;
      if (maxLifeMs && keyspace.pttl(agent) > Number(maxLifeMs)) return 0;
      keyspace.del(agent);
      return 1;
    },
  ],
]);
