import { expect, test } from 'vitest';
import { ExternalError } from '../errors.ts';
import type { MetricSource } from './metric-source.ts';
import { withBackoff } from './source-backoff.ts';

function scene(failure: () => Error | undefined) {
  const clock = { atMs: 1_000_000 };
  let reads = 0;
  const source: MetricSource = {
    name: 'shop metrics',
    async read() {
      reads += 1;
      const thrown = failure();
      if (thrown !== undefined) throw thrown;
      return [];
    },
  };
  const patient = withBackoff(source, { now: () => new Date(clock.atMs), random: () => 0 });
  return { clock, reads: () => reads, read: () => patient.read([], new Date(clock.atMs)) };
}

const unreachable = (retryAfterMs?: number) =>
  new ExternalError('connection refused', { service: 'shop metrics', retryable: true, retryAfterMs });

test('a-source-that-failed-is-not-asked-again-before-the-wait-is-over', async () => {
  const { clock, reads, read } = scene(() => unreachable());
  await expect(read()).rejects.toThrow('connection refused');
  clock.atMs += 499;
  await expect(read()).rejects.toMatchObject({ message: 'connection refused', retryAfterMs: 1 });
  expect(reads()).toBe(1);
  clock.atMs += 1;
  await expect(read()).rejects.toThrow('connection refused');
  expect(reads()).toBe(2);
  clock.atMs += 999;
  await expect(read()).rejects.toMatchObject({ retryAfterMs: 1 });
  expect(reads()).toBe(2);
});

test('a-source-that-says-how-long-to-wait-is-obeyed', async () => {
  const { clock, reads, read } = scene(() => unreachable(90_000));
  await expect(read()).rejects.toThrow();
  clock.atMs += 89_999;
  await expect(read()).rejects.toMatchObject({ retryAfterMs: 1 });
  expect(reads()).toBe(1);
});

test('an-answer-forgets-the-earlier-failures', async () => {
  let failing = true;
  const { clock, reads, read } = scene(() => (failing ? unreachable() : undefined));
  for (const waitMs of [500, 1_000, 2_000]) {
    await expect(read()).rejects.toThrow();
    clock.atMs += waitMs;
  }
  failing = false;
  expect(await read()).toEqual([]);
  failing = true;
  await expect(read()).rejects.toThrow();
  clock.atMs += 500;
  await expect(read()).rejects.toMatchObject({ retryAfterMs: undefined });
  expect(reads()).toBe(6);
});

test('a-bug-is-thrown-again-and-holds-nothing-up', async () => {
  const { reads, read } = scene(() => new TypeError('a bug'));
  await expect(read()).rejects.toThrow(TypeError);
  await expect(read()).rejects.toThrow(TypeError);
  expect(reads()).toBe(2);
});
