import { describe, expect, it } from 'vitest';
import { deidentified } from './deidentify.ts';

const clean = (text: string, people: string[] = [], salt = 'INC-1') => deidentified(text, { people, salt });

describe('deidentified', () => {
  it('gives everyone a stand-in that is the same throughout one incident and another in the next', () => {
    const text = clean('ann.b asked; session s-42. Ann.b? No: ann.b.', ['ann.b', 's-42']);
    expect(text).toMatch(/^(person-[0-9a-f]{8}) asked; session person-[0-9a-f]{8}\. Ann\.b\? No: \1\.$/);
    expect(clean('ann.b', ['ann.b'])).toBe(clean('ann.b', ['ann.b']));
    expect(clean('ann.b', ['ann.b'])).not.toBe(clean('ann.b', ['ann.b'], 'INC-2'));
  });

  it('leaves words alone that only hold an id, and ids that are no more than a letter', () => {
    expect(clean('planned in Annex 1', ['ann', '1'])).toBe('planned in Annex 1');
    expect(clean('(a+b)* and $1', ['(a+b)*'])).toMatch(/^person-[0-9a-f]{8} and \$1$/);
  });

  it('knows ids that are named as such, and people of Slack, without being told', () => {
    expect(clean('user_id=4711, customer: c-9 <@U012ABCDE>')).toMatch(
      /^user_id=person-\w{8}, customer: person-\w{8} person-\w{8}$/,
    );
    expect(clean('mail jane@example.com')).not.toContain('jane');
  });
});
