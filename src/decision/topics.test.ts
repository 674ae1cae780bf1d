import { expect, test } from 'vitest';
import { topicsOf } from './topics.ts';

const about = (n: number, topic: string) =>
  Array.from({ length: n }, (_, i) => `Customer ${i} would like to know about ${topic} please`);

test('what-only-failing-inputs-are-about-is-their-topic', () => {
  const failing = [...about(14, 'pension transfers'), ...about(6, 'delivery')];
  const sound = [...about(100, 'delivery'), ...about(100, 'refunds')];
  expect(topicsOf(failing, sound)).toEqual([
    { word: 'pension', failing: 14, sound: 0 },
    { word: 'transfers', failing: 14, sound: 0 },
  ]);
});

test('failures-on-what-everybody-asks-have-no-topic', () => {
  expect(topicsOf(about(20, 'delivery'), about(200, 'delivery'))).toEqual([]);
});

test('a-word-in-two-inputs-is-chance', () => {
  expect(topicsOf(about(2, 'pension'), about(200, 'delivery'))).toEqual([]);
});
