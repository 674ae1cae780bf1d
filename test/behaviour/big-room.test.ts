import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import type { MessageRef } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, startWorld, TOKEN, type World } from '../harness/bot.ts';
import { callsWith, sendGoodDay } from '../harness/exact-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, messageWith } from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';
import { alterAnswers } from '../harness/slack-alter.ts';

const TOP_LEVEL = 1_000;
const REPLIES = 200;
/** So many of them are heard as they are said; the rest is said while the bot is stopped. */
const HEARD = { topLevel: 150, replies: 50 };
const EMAIL = 'jane.roe@customers.example.com';
const CARD = '4111 1111 1111 1111';
const KEY = 'sk-proj-abcdEFGH1234abcdEFGH1234abcdEFGH1234';
const HOSTILE = [
  'hostile-1 <!channel> <!here> <!everyone>',
  'hostile-2 <script>alert(1)</script><img src=x onerror=alert(1)>',
  '# hostile-3 a heading\n\n## Timeline\n\n- [x] a task\n\n---',
  'hostile-4 [click](javascript:alert(1)) ![p](https://evil.example/p.png)',
  'hostile-5 ```\nnever closed',
  'hostile-6 | a | b |\n|---|---|\n| 1 | 2 |',
  'hostile-7 <!-- everything after this is a comment',
];

describe('a room with a thousand messages', { timeout: 240_000 }, () => {
  let world: World;
  let proxy: Awaited<ReturnType<typeof alterAnswers>>;
  let room = '';
  let markdown = '';
  beforeAll(async () => {
    world = await startWorld({ start: false });
    proxy = await alterAnswers(world, withFile);
    await world.restart();
    room = await roomOfLeakyIncident(world);
    await fill(world, room);
    await ask(world, 'oncall', 'resolve done', room);
    await world.slack.waitFor(
      'the documents',
      async () => (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md'),
      120_000,
    );
    markdown = readFileSync(join(world.env['DATA_DIR'] as string, 'documents/INC-1/postmortem.md'), 'utf8');
  }, 240_000);
  afterAll(async () => {
    await world.close();
    await proxy.close();
  });

  it('reaches the post-mortem whole: every message and every reply, each once', () => {
    const found = markdown.match(/(?:top|reply)-marker-\d{4}/g) ?? [];
    const wanted = [
      ...Array.from({ length: TOP_LEVEL }, (_, index) => marker('top', index)),
      ...Array.from({ length: REPLIES }, (_, index) => marker('reply', index)),
    ];
    expect([...found].sort()).toEqual(wanted.sort());
  });

  it('pings nobody and runs nothing from what was said in it', () => {
    for (let number = 1; number <= HOSTILE.length; number += 1)
      expect(markdown).toContain(`hostile-${number}`);
    expect(markdown).not.toMatch(/<!(?:channel|here|everyone)/);
    const kinds = new Set<string>();
    const urls: string[] = [];
    const headings: string[] = [];
    const visit = (node: { type: string; url?: string; children?: unknown[]; value?: string }) => {
      kinds.add(node.type);
      if (node.url !== undefined) urls.push(node.url);
      if (node.type === 'heading') headings.push(JSON.stringify(node));
      for (const child of node.children ?? []) visit(child as typeof node);
    };
    visit(fromMarkdown(markdown));
    expect(kinds).not.toContain('html');
    expect(kinds).not.toContain('image');
    expect(urls.filter((url) => /^javascript:|evil\.example/.test(url))).toEqual([]);
    expect(headings.filter((heading) => heading.includes('hostile-3'))).toEqual([]);
    expect(markdown.lastIndexOf(marker('top', TOP_LEVEL - 1))).toBeGreaterThan(markdown.indexOf('hostile-7'));
  });

  it('names the files that were shared', () => {
    expect(markdown).toContain('File: [graph of errors.png](https://files.example/graph.png)');
  });

  it('holds no personal data and no key of what was said', () => {
    expect(markdown).toContain('secret-marker');
    for (const secret of [EMAIL, CARD, CARD.replaceAll(' ', ''), KEY]) expect(markdown).not.toContain(secret);
    expect(markdown).toContain('[email]');
    expect(markdown).toContain('[card]');
    expect(markdown).toContain('[key]');
  });

  it('shows failing examples in Slack without personal data and keys', async () => {
    const card = await messageWith(world, room, 'card:1');
    const [context] = await world.slack.replies(room, card.ts);
    const shown = blocksText(context ?? {});
    expect(shown).toContain('Failing example 1');
    expect(shown).toContain('[email]');
    const everything = JSON.stringify(world.slack.calls.map(({ args }) => args));
    for (const secret of [EMAIL, CARD, KEY]) expect(everything).not.toContain(secret);
  });
});

const marker = (kind: 'top' | 'reply', index: number) => `${kind}-marker-${String(index).padStart(4, '0')}`;

/** Slack's answer with a file on the message that says so; people here cannot upload. */
function withFile(method: string, answer: Record<string, unknown>): Record<string, unknown> {
  if (method !== 'conversations.history' || !Array.isArray(answer['messages'])) return answer;
  const file = { id: 'F1', name: 'graph of errors.png', permalink: 'https://files.example/graph.png' };
  const messages = answer['messages'].map((one: { text?: string }) =>
    one.text?.includes('file-marker') ? { ...one, files: [file] } : one,
  );
  return { ...answer, messages };
}

/** An incident whose failing calls hold an address, a card number and a key. */
async function roomOfLeakyIncident(world: World): Promise<string> {
  await sendGoodDay(world, { service: SERVICE });
  const bad = callsWith(await world.now(), { service: SERVICE, n: 100, good: 30 });
  const leaky = bad.map((call, index) => ({
    ...call,
    input: `question ${index} from ${EMAIL}`,
    output: `answer ${index}: card ${CARD}, key ${KEY}, write to ${EMAIL}`,
  }));
  await sendCalls({ url: world.url, token: TOKEN }, leaky);
  await world.advance(0);
  const [id] = await openedAbout(world, SERVICE);
  return roomOfIncident(world, id ?? 0);
}

async function fill(world: World, room: string): Promise<void> {
  const [oncall, lead] = [world.slack.as('oncall'), world.slack.as('lead')];
  const roots: MessageRef[] = [];
  const say = async (from: number, to: number) => {
    for (let index = from; index < to; index += 1) {
      const said = await oncall.say(room, `${marker('top', index)} was said.`);
      if (index % 50 === 0) roots.push(said);
    }
  };
  const reply = async (from: number, to: number) => {
    for (let index = from; index < to; index += 1) {
      const root = roots[index % roots.length] as MessageRef;
      await lead.say(room, `${marker('reply', index)} was replied.`, { thread_ts: root.ts });
    }
  };
  await say(0, HEARD.topLevel);
  await reply(0, HEARD.replies);
  for (const text of HOSTILE) await oncall.say(room, text);
  await oncall.say(room, `secret-marker ${EMAIL} paid with ${CARD} and sent ${KEY}`);
  await oncall.say(room, 'file-marker: look at the graph');
  await world.stopBot();
  await say(HEARD.topLevel, TOP_LEVEL);
  await reply(HEARD.replies, REPLIES);
  await world.restart();
}
