/** Values of locks that `aec` itself sets begin so; a Clouddriver node's is `ip:pid@host`. */
export const HOLD_PREFIX = "aec:";

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
