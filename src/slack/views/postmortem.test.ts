import { expect, test } from 'vitest';
import type { PostmortemView } from '../../flow/learn/duty-view.ts';
import { render } from './render.ts';

const written: PostmortemView = {
  incidentId: 12,
  summary: 'The post-mortem is written.',
  left: ['No eval case was recorded.'],
  lacks: ['The prompt in use was not frozen.'],
  owner: { id: 'U012ABC', name: 'lead' },
  callsOwner: true,
  dueAt: new Date('2026-11-22T03:00:00Z'),
  signedBy: [],
  unsigned: ['owner'],
  isClosed: false,
};

test('a-post-mortem-says-whose-it-is-and-what-is-left-to-do', () => {
  const { text, blocks } = render({ kind: 'postmortem', postmortem: written });
  expect(JSON.stringify(blocks)).toContain('*To do*\\n• No eval case was recorded.');
  expect(JSON.stringify(blocks)).toContain('*Not recorded*\\n• The prompt in use was not frozen.');
  expect(JSON.stringify(blocks)).toContain('<@U012ABC> writes it');
  expect(text).toContain('1 thing left to do: No eval case was recorded.');
});

test('whoever-took-the-post-mortem-is-named-and-not-called', () => {
  const { blocks } = render({ kind: 'postmortem', postmortem: { ...written, callsOwner: false } });
  expect(JSON.stringify(blocks)).toContain('lead writes it');
});
