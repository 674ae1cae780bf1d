import { expect, test } from 'vitest';
import { readServingQuestion } from './serving-question.ts';

const NOW = new Date('2026-01-05T10:00:00Z');
const read = (text: string) => {
  const found = readServingQuestion(text, NOW);
  return found.kind === 'wrong'
    ? found.problem
    : [found.question.service, ...found.question.times.map((time) => time.toISOString().slice(0, 16))];
};

test.each([
  ['', [null]],
  ['support-answers', ['support-answers']],
  ['09:30', [null, '2026-01-05T09:30']],
  ['10:30', [null, '2026-01-04T10:30']],
  ['90m', [null, '2026-01-05T08:30']],
  ['support-answers 2d 6h', ['support-answers', '2026-01-03T10:00', '2026-01-05T04:00']],
  ['now 1h support-answers', ['support-answers', '2026-01-05T09:00', '2026-01-05T10:00']],
  ['2026-01-04 14:02', [null, '2026-01-04T14:02']],
  ['2026-01-03 2026-01-04T08:00+02:00', [null, '2026-01-03T00:00', '2026-01-04T06:00']],
] as [string, (string | null)[]][])('status serving %s', (text, expected) => {
  expect(read(text)).toEqual(expected);
});

test.each([
  ['bot yesterday', /^"yesterday" is no time\. Use `status serving/],
  ['1h 2h 3h', /^Use `status serving/],
  ['2026-01-06', /^What will be served is not known/],
  ['bot 2026-13-45', /is no time/],
])('%s is refused with its cure', (text, problem) => {
  expect(read(text)).toMatch(problem);
});
