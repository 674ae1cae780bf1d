import { WebClient } from '@slack/web-api';
import { expect, test } from 'vitest';
import { createLog } from '../log.ts';
import { checkedFetch } from './checked-fetch.ts';

/** The client of Slack's own package, with the check in front of a Slack that takes everything. */
function client(): { slack: WebClient; sent: string[] } {
  const sent: string[] = [];
  const taking: typeof fetch = async (input) => {
    sent.push(String(input));
    return new Response('{"ok":true}', { headers: { 'content-type': 'application/json' } });
  };
  const fetch = checkedFetch(createLog('silent'), taking);
  const options = { slackApiUrl: 'http://slack.invalid/api/', retryConfig: { retries: 0 }, fetch };
  return { slack: new WebClient('xoxb-1', options), sent };
}

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const section = (text: string) => ({ type: 'section' as const, text: plain(text) });

test('a-message-that-slack-would-refuse-does-not-leave', async () => {
  const { slack, sent } = client();
  const message = { channel: 'C1', text: 'x' };
  await slack.chat.postMessage({ ...message, blocks: [section('fine')] });
  const tooLong = slack.chat.postMessage({ ...message, blocks: [section('x'.repeat(3001))] });
  await expect(tooLong).rejects.toThrow('invalid_blocks');
  expect(sent).toHaveLength(1);
});

test('a-view-that-slack-would-refuse-does-not-leave', async () => {
  const { slack, sent } = client();
  const home = (text: string) => ({
    type: 'home' as const,
    blocks: [{ type: 'header' as const, text: plain(text) }],
  });
  await slack.views.publish({ user_id: 'U1', view: home('fine') });
  await expect(slack.views.publish({ user_id: 'U1', view: home('x'.repeat(151)) })).rejects.toThrow();
  expect(sent).toHaveLength(1);
});
