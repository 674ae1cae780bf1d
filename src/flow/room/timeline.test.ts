import { expect, test } from 'vitest';
import { readTimeline } from './timeline.ts';

const now = new Date('2026-11-22T10:15:30Z');
const read = (text: string, offsetMinutes = 0) => readTimeline(text, { now, offsetMinutes });

test('a-line-without-a-time-is-about-now', () => {
  expect(read('  rolled back by hand ')).toEqual({
    kind: 'add',
    at: now,
    text: 'rolled back by hand',
    lesson: null,
  });
  expect(read('')).toEqual({ kind: 'show' });
});

test('a-time-is-the-last-such-time-in-the-zone-of-whoever-says-it', () => {
  const at = (text: string, offsetMinutes?: number) => {
    const found = read(text, offsetMinutes);
    return found.kind === 'add' ? found.at.toISOString() : found;
  };
  expect(at('at 10:15 it began')).toBe('2026-11-22T10:15:00.000Z');
  expect(at('at 10:16 it began')).toBe('2026-11-21T10:16:00.000Z');
  // Half past three in the morning in India is 22:00 the evening before.
  expect(at('at 03:30 it began', 330)).toBe('2026-11-21T22:00:00.000Z');
  expect(at('at 02:00 it began', -480)).toBe('2026-11-22T10:00:00.000Z');
});

test('what-is-no-time-is-refused-and-a-lesson-is-told-apart', () => {
  expect(read('at 24:00 x').kind).toBe('wrong');
  expect(read('at 02:31').kind).toBe('wrong');
  expect(read('good the canary saw it first')).toMatchObject({
    lesson: 'good',
    text: 'the canary saw it first',
  });
  expect(read('at 09:00 Luck: nobody was up')).toMatchObject({ lesson: null, text: 'Luck: nobody was up' });
  expect(read('at 09:00 luck nobody was up')).toMatchObject({ lesson: 'luck', text: 'nobody was up' });
  expect(read('good')).toMatchObject({ kind: 'add', text: 'good', lesson: null });
});
