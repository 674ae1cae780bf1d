import fc from 'fast-check';

/**
 * Properties draw the same examples every time, so that the gate says the same twice of the same code.
 * `FAST_CHECK_SEED=random npx vitest run FILE` hunts for new ones; a number repeats what a hunt has found.
 */
const asked = process.env['FAST_CHECK_SEED'] ?? '20240229';
if (asked !== 'random') fc.configureGlobal({ seed: Number(asked) });
