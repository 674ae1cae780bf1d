import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseArm } from './split.ts';

const KEYS = Array.from({ length: 5_000 }, (_, index) => `user-${index}`);
const keysOf = (arms: Parameters<typeof chooseArm>[0], subject: string | null, salt = 'answers') =>
  KEYS.filter((key) => chooseArm(arms, { salt, key }) === subject);

/** Five standard deviations of a binomial count. */
const spread = (n: number, share: number) => 5 * Math.sqrt(n * share * (1 - share));

describe('a split', () => {
  it('keeps every user that it has when its percentage rises', () => {
    const percent = fc.double({ min: 0, max: 100, noNaN: true });
    const inputs = fc.record({
      shares: fc.tuple(percent, percent),
      rival: fc.nat(50),
      salt: fc.string(),
      key: fc.string(),
    });
    const property = fc.property(inputs, ({ shares, rival, salt, key }) => {
      const at = (share: number) =>
        chooseArm(
          [
            { subject: 'backup', percent: share },
            { subject: 'rival', percent: rival },
          ],
          { salt, key },
        );
      return at(Math.min(...shares)) !== 'backup' || at(Math.max(...shares)) === 'backup';
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  it('adds users on the way from 10 to 100 % and takes none away', () => {
    const steps = [10, 25, 50, 100].map((percent) => keysOf([{ subject: 'backup', percent }], 'backup'));
    for (const [index, users] of steps.entries()) {
      const later = new Set(steps[index + 1] ?? KEYS);
      expect(users.filter((user) => !later.has(user))).toEqual([]);
    }
    expect(steps.at(-1)).toHaveLength(KEYS.length);
  });

  it.each([1, 10, 25, 50, 90])('gets %s percent of the users, within what chance allows', (percent) => {
    for (const salt of ['answers', 'search', 'mail']) {
      const share = keysOf([{ subject: 'backup', percent }], 'backup', salt).length;
      const expected = (KEYS.length * percent) / 100;
      expect(Math.abs(share - expected)).toBeLessThan(spread(KEYS.length, percent / 100));
    }
  });

  it('between several shares the traffic as they say', () => {
    const arms = [
      { subject: 'a', percent: 20 },
      { subject: 'b', percent: 30 },
    ];
    for (const [subject, share] of [
      ['a', 0.2],
      ['b', 0.3],
      [null, 0.5],
    ] as const) {
      const n = keysOf(arms, subject).length;
      expect(Math.abs(n - KEYS.length * share)).toBeLessThan(spread(KEYS.length, share));
    }
  });

  it('of one service says nothing about who is in that of another', () => {
    const arms = [{ subject: 'backup', percent: 50 }];
    const both = new Set(keysOf(arms, 'backup', 'search'));
    const shared = keysOf(arms, 'backup', 'answers').filter((user) => both.has(user)).length;
    expect(Math.abs(shared - KEYS.length / 4)).toBeLessThan(spread(KEYS.length, 0.25));
  });

  it('gives a call without a key the arm with most of the traffic', () => {
    const at = (percent: number) =>
      chooseArm([{ subject: 'backup', percent }], { salt: 'answers', key: null });
    expect([0, 10, 50, 51, 100].map(at)).toEqual([null, null, null, 'backup', 'backup']);
  });
});
