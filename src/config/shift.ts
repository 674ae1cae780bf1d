import { z } from 'zod';

const stages = z
  .array(z.number().gt(0).max(100))
  .min(1)
  .refine((percents) => percents.every((one, i) => i === 0 || one > (percents[i - 1] as number)), {
    error: 'must rise',
  });
const minCalls = z.number().int().min(30, 'must be at least 30 calls');
const minutes = z.number().positive();
const margin = z.number().gt(0).lt(1);

/** How traffic is shifted: percent by percent, each held to a gate that compares both arms. */
export const shiftSettings = z.strictObject({
  stages: stages.default([10, 25, 50, 100]),
  /** Calls in each arm before a gate decides. */
  min_calls: minCalls.default(100),
  /** A stage that cannot be told by then is held, and people are asked. */
  minutes: minutes.default(30),
  /** How much worse the new arm may be, as a share. */
  margin: margin.default(0.05),
});

/** What differs for one service. */
export const shiftOverrides = z.strictObject({
  stages: stages.optional(),
  min_calls: minCalls.optional(),
  minutes: minutes.optional(),
  margin: margin.optional(),
});

/** What an offender is limited to by itself. */
export const throttle = z.strictObject({ requests_per_minute: z.number().int().min(1) });

/** For the README's table: the keys by where they stand. */
export const shiftShapes = {
  'shift.': shiftSettings.shape,
  'services.NAME.shift.': shiftOverrides.shape,
  'services.NAME.throttle.': throttle.shape,
};
