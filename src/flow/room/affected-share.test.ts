import { expect, test } from 'vitest';
import { shareAffected } from './affected-share.ts';

test('where every call is scored it is the share of low ones', () => {
  expect(shareAffected({ 'low score': 38, good: 62 }, 'quality')).toBeCloseTo(0.38);
});

test('scores of a sample stand for the calls that nobody scored', () => {
  expect(shareAffected({ 'low score': 20, good: 20, 'not judged': 960 }, 'quality')).toBeCloseTo(0.5);
});

test('errors and broken formats are known of every call and are not multiplied', () => {
  const share = shareAffected(
    { error: 50, format: 50, 'low score': 0, good: 40, 'not judged': 860 },
    'quality',
  );
  expect(share).toBeCloseTo(0.1);
});

test('an outage counts what failed', () => {
  expect(shareAffected({ error: 30, 'not judged': 70 }, 'outage')).toBeCloseTo(0.3);
});

test('too few, or what no call shows, say nothing', () => {
  expect(shareAffected({ 'low score': 9, good: 20 }, 'quality')).toBeNull();
  expect(shareAffected({}, 'outage')).toBeNull();
  expect(shareAffected({ good: 500 }, 'cost')).toBeNull();
  expect(shareAffected({ good: 500 }, 'safety')).toBeNull();
});
