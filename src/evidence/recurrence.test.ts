import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALIKE, likeness, mostAlike, type Signature } from './recurrence.ts';

const one: Signature = {
  service: 'support-bot',
  category: 'quality',
  rule: 'quality.score',
  changed: ['prompt:answer', 'model'],
};

describe('likeness', () => {
  test('everything-in-common-is-one-and-says-what', () => {
    const { score, common } = likeness(one, one);
    expect(score).toBeCloseTo(1, 12);
    expect(common).toEqual([
      'same service support-bot',
      'same rule quality.score',
      'prompt answer had changed then too',
    ]);
  });

  test.each<[string, Partial<Signature>, boolean]>([
    ['another-rule-of-the-service-and-category', { rule: 'quality.format', changed: [] }, true],
    ['another-category-of-the-service', { rule: 'cost.spend', category: 'cost', changed: [] }, false],
    ['the-rule-and-the-component-at-another-service', { service: 'other' }, true],
    ['the-rule-alone-at-another-service', { service: 'other', changed: [] }, false],
    ['no-service-on-either-side', { service: null, rule: null }, false],
  ])('%s-is-alike-%#', (_, different, isAlike) => {
    expect(likeness(one, { ...one, ...different }).score >= ALIKE).toBe(isAlike);
  });

  test('is-symmetric-and-between-nothing-and-all', () => {
    const signature = fc.record<Signature>({
      service: fc.constantFrom(null, 'a', 'b'),
      category: fc.constantFrom('quality', 'cost'),
      rule: fc.constantFrom(null, 'quality.score', 'cost.spend'),
      changed: fc.uniqueArray(fc.constantFrom('prompt', 'model', 'index')),
    });
    fc.assert(
      fc.property(signature, signature, (a, b) => {
        const { score } = likeness(a, b);
        expect(score).toBe(likeness(b, a).score);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('the-most-alike-come-first-and-the-newest-among-equals', () => {
    const past = [
      { ...one, id: 1 },
      { ...one, id: 2, rule: 'quality.format' },
      { ...one, id: 3 },
      { ...one, id: 4, service: 'other', changed: [] },
    ];
    expect(mostAlike(one, past, 5).map(({ past: found }) => found.id)).toEqual([3, 1, 2]);
    expect(mostAlike(one, past, 1)).toHaveLength(1);
  });
});
