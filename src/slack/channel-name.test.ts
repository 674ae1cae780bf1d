import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelName } from './channel-name.ts';

const date = new Date('2026-11-22T23:30:00Z');
const name = (title: string, attempt = 0) => channelName({ incidentId: 12, date, title, attempt });

test('a-room-is-named-after-its-day-number-and-title', () => {
  expect(name('Support answers are wrong!')).toBe('inc-20261122-12-support-answers-are-wrong');
  expect(name('Größere Störung: Ответы неверны')).toMatch(/^inc-20261122-12-groessere-stoerung-otvety-n/);
});

test('a-title-without-letters-leaves-the-number', () => {
  expect(name('🔥🔥🔥')).toBe('inc-20261122-12');
  expect(name('')).toBe('inc-20261122-12');
  expect(name('---')).toBe('inc-20261122-12');
});

test('a-long-title-is-cut-at-a-word', () => {
  expect(name('Answers about refunds quote prices that never existed anywhere')).toBe(
    'inc-20261122-12-answers-about-refunds-quote-prices-that',
  );
});

test('a-taken-name-gets-a-suffix', () => {
  expect(name('wrong', 1)).toBe('inc-20261122-12-wrong-2');
  expect(name('', 2)).toBe('inc-20261122-12-3');
});

test('any-title-makes-a-name-that-slack-accepts', () => {
  const title = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.string().map((text) => text.repeat(500)),
  );
  const attempt = fc.integer({ min: 0, max: 99 });
  fc.assert(
    fc.property(title, attempt, fc.integer({ min: 1, max: 2 ** 31 }), (text, tries, incidentId) => {
      const room = { incidentId, date, title: text, attempt: tries };
      expect(channelName(room)).toMatch(/^inc-20261122-[0-9]+(-[a-z0-9]+)*$/);
      expect(channelName(room).length).toBeLessThanOrEqual(80);
      expect(channelName(room)).toBe(channelName(room));
      expect(channelName({ ...room, attempt: tries + 1 })).not.toBe(channelName(room));
    }),
    { numRuns: 300 },
  );
});
