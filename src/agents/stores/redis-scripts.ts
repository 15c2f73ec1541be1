import { HOLD_PREFIX } from "./store.ts";

/**
 * Frees an idle agent, so that a node takes and runs it within its tick of a second.
 * KEYS[1] agentType; ARGV[1] the longest life, in ms, that an idle lock can have.
 * The life is checked with the deletion in one step: a node's value is always the same, so a lock that was just
 * taken again can be told from the idle one only by its life. A key without a life is no lock of a scheduler.
 * Answers due, held, running, foreign or released.
 */
export const RUN_NOW = `
local value = redis.call('GET', KEYS[1])
if not value then return 'due' end
if string.sub(value, 1, ${HOLD_PREFIX.length}) == '${HOLD_PREFIX}' then return 'held' end
local life = redis.call('PTTL', KEYS[1])
if life < 0 then return 'foreign' end
if life > tonumber(ARGV[1]) then return 'running' end
redis.call('DEL', KEYS[1])
return 'released'
`;

/**
 * Deletes a lock whose value is exactly this one: a node that is gone, or a hold of our own.
 * KEYS[1] agentType; ARGV[1] the value; ARGV[2] empty, or the longest life that it may have: a node that was started
 * again in its place has the same value, and what it took since has more life.
 * Answers 1 or 0.
 */
export const DELETE_IF = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then return 0 end
return redis.call('DEL', KEYS[1])
`;

/**
 * Keeps an agent from running: sets a hold in place of an idle lock or of none, or renews one of our own.
 * KEYS[1] agentType; ARGV[1] our value; ARGV[2] its life, ms; ARGV[3] the longest life that an idle lock can have.
 * A node's completion no longer matches the value, so that a hold outlives it. Answers held, running, foreign or set.
 */
export const HOLD = `
local value = redis.call('GET', KEYS[1])
if value and value ~= ARGV[1] then
  if string.sub(value, 1, ${HOLD_PREFIX.length}) == '${HOLD_PREFIX}' then return 'held' end
  local life = redis.call('PTTL', KEYS[1])
  if life < 0 then return 'foreign' end
  if life > tonumber(ARGV[3]) then return 'running' end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 'set'
`;
