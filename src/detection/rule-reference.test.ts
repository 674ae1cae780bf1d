import { expect, test } from 'vitest';
import { ruleTable } from './rule-reference.ts';
import { ruleReference, rules } from './rules.ts';

test('the-table-has-a-line-of-eight-cells-for-every-rule', () => {
  const lines = ruleTable(ruleReference()).split('\n');
  expect(lines).toHaveLength(rules.length + 2);
  for (const line of lines) expect(line.split(' | ')).toHaveLength(8);
});

test('a-line-says-the-shipped-numbers', () => {
  const table = ruleTable(ruleReference());
  expect(table).toContain(
    '| 30 min | 100, baseline 200 | at once | 0.1 for 10 min | page after 10 min · ticket |',
  );
  expect(table).toContain(
    '| 50 | 5 min, 15 min | 1 | 3 of 5 polls | 45 for 10 min | page · page; remediates |',
  );
  expect(table).toContain('| newest 1,000 | 1,000 |');
});
