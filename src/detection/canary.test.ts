import { describe, expect, test } from 'vitest';
import { type ComparedWith, compareCanary, type EarlierRun, usualRuns } from './canary.ts';

type Compare = ComparedWith['canary']['compare'];

const compared = (compare: Compare, history: string[], more: Partial<ComparedWith> = {}): ComparedWith => ({
  canary: { compare },
  history,
  isWellFormed: null,
  ...more,
});
const PARAGRAPH =
  'A refund takes five to seven working days and goes back to the card that the order was paid with.';
const VARIANTS = [
  PARAGRAPH,
  'A refund takes five to seven working days. It goes back to the card that the order was paid with.',
  'It takes five to seven working days until a refund is back on the card that the order was paid with.',
  'Refunds take five to seven working days and go back to the card that the order was paid with.',
  'A refund takes about five to seven working days, back to the card that you paid the order with.',
];

describe('comparing', () => {
  test('nothing is said before five earlier runs, and the fifth makes it speak', () => {
    const history = Array.from({ length: 5 }, () => '4');
    expect(compareCanary('5', compared('same', history.slice(1)))).toEqual({
      deviates: false,
      detail: '4 of the 5 earlier runs that a comparison needs',
    });
    expect(compareCanary('5', compared('same', history)).deviates).toBe(true);
    expect(compareCanary('4', compared('same', history))).toEqual({ deviates: false, detail: null });
  });

  test('a space is a difference for same', () => {
    const history = Array.from({ length: 9 }, () => PARAGRAPH);
    expect(compareCanary(`${PARAGRAPH} `, compared('same', history))).toEqual({
      deviates: true,
      detail: 'not the output of 9 of 9 earlier runs',
    });
  });

  test('one run in ten may differ before same is too unstable', () => {
    const nine = Array.from({ length: 9 }, () => PARAGRAPH);
    const stable = compareCanary(`${PARAGRAPH} `, compared('same', [...nine, VARIANTS[1] as string]));
    expect(stable.detail).toBe('not the output of 9 of 10 earlier runs');
    const varied = compared('same', [...nine, VARIANTS[1] as string, VARIANTS[2] as string]);
    expect(compareCanary(`${PARAGRAPH} `, varied)).toEqual({
      deviates: false,
      detail: 'too unstable to be the same (9 of 11 earlier runs agree), compared by similarity',
    });
    const gone = compareCanary(
      'I can not talk about payments, sorry. Ask me something else instead, please!',
      varied,
    );
    expect(gone.deviates).toBe(true);
    expect(gone.detail).toContain('; too unstable to be the same');
  });

  test('similar takes one more wording of the same answer, and not another answer of that length', () => {
    const another =
      'A refund is done in five to seven working days, to the card that the order was paid with.';
    expect(compareCanary(another, compared('similar', VARIANTS))).toEqual({ deviates: false, detail: null });
    const strange =
      'Our shops open at nine on weekdays; parking is free for everyone who shows a receipt there.';
    const verdict = compareCanary(strange, compared('similar', VARIANTS));
    expect(verdict.deviates).toBe(true);
    expect(verdict.detail).toMatch(
      /^similarity 0\.\d\d to its last 5 outputs, at least 0\.\d\d among themselves$/,
    );
  });

  test('the same words at three times the length deviate by their length', () => {
    const long = [PARAGRAPH, PARAGRAPH, PARAGRAPH].join(' ');
    const history = Array.from({ length: 5 }, () => PARAGRAPH);
    expect(compareCanary(long, compared('similar', history))).toEqual({
      deviates: true,
      detail: `${long.length} characters long, usually ${PARAGRAPH.length}`,
    });
    expect(compareCanary('', compared('similar', history)).detail).toBe(
      `0 characters long, usually ${PARAGRAPH.length}`,
    );
  });

  test('a length that the history has had is no deviation', () => {
    const history = ['yes', 'yes', 'yes', 'yes', 'yes yes yes'];
    expect(compareCanary('yes yes yes', compared('similar', history)).deviates).toBe(false);
    expect(compareCanary('yes yes yes yes', compared('similar', history)).deviates).toBe(true);
  });

  test('format and contains need no history', () => {
    const isWellFormed = (output: string) => output.startsWith('{');
    const format = compared('format', [], { isWellFormed });
    expect(compareCanary('{}', format)).toEqual({ deviates: false, detail: null });
    expect(compareCanary('Sure: {}', format).deviates).toBe(true);
    expect(compareCanary('Sure: {}', compared('format', [])).deviates).toBe(false);
    const contains = compared('contains', [], { canary: { compare: 'contains', expect: 'seven' } });
    expect(compareCanary(PARAGRAPH, contains).deviates).toBe(false);
    expect(compareCanary('six', contains)).toEqual({ deviates: true, detail: 'does not contain "seven"' });
  });
});

describe('what is usual', () => {
  const HOUR_MS = 3_600_000;
  const runs = (marks: string): EarlierRun[] =>
    [...marks].map((mark, i) => ({ id: i, at: new Date(i * HOUR_MS), deviates: mark === 'x' }));
  const ids = (marks: string) => usualRuns(runs(marks)).map(({ id }) => id);

  test('runs that deviated are left out', () => {
    expect(ids('..x.xx')).toEqual([0, 1, 3]);
  });

  test('only the newest fifty count', () => {
    expect(ids('.'.repeat(60))).toEqual(Array.from({ length: 50 }, (_, i) => i + 10));
  });

  test('what deviated for a whole day is the new usual, and stays it', () => {
    expect(ids(`...${'x'.repeat(24)}`)).toEqual([0, 1, 2]);
    expect(ids(`...${'x'.repeat(25)}`)).toEqual(Array.from({ length: 25 }, (_, i) => i + 3));
    expect(ids(`...${'x'.repeat(25)}.`)).toEqual(Array.from({ length: 26 }, (_, i) => i + 3));
    expect(ids(`...${'x'.repeat(25)}.x`)).not.toContain(0);
  });

  test('two runs a day apart are too few to be a habit', () => {
    const rare = [0, 12, 24, 36].map((hours) => ({
      id: hours,
      at: new Date(hours * HOUR_MS),
      deviates: true,
    }));
    expect(usualRuns(rare)).toEqual([]);
  });
});
