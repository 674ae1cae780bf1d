import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import MarkdownIt, { type Token } from 'markdown-it';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import { SERVICE, startWorld, TOKEN, type World } from '../harness/bot.ts';
import { callsWith, sendGoodDay } from '../harness/exact-calls.ts';
import { type LongRoom, startLongRoom } from '../harness/long-room.ts';
import { HOSTILE, longTalk, marker, PLANTED, TALKERS } from '../harness/long-talk.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, messageWith } from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';

const EMAIL = 'jane.roe@customers.example.com';
const CARD = '4111 1111 1111 1111';
const KEY = 'sk-proj-abcdEFGH1234abcdEFGH1234abcdEFGH1234';
const HEARD = 30;
const heard = (index: number) => `heard-${String(index).padStart(2, '0')}`;

describe('a room with ten thousand messages', { timeout: 240_000 }, () => {
  let world: World;
  let long: LongRoom;
  let room = '';
  let markdown = '';
  let tokens: Token[] = [];
  const talk = longTalk(Math.floor(Date.now() / 1_000) - 3_600);
  beforeAll(async () => {
    world = await startWorld({ start: false });
    long = await startLongRoom(world, TALKERS);
    await world.restart();
    room = await roomOfLeakyIncident(world);
    await talkAndTakeBack(world, room);
    long.seed(room, talk);
    await ask(world, 'oncall', 'resolve done', room);
    await world.slack.waitFor(
      'the documents',
      async () => (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md'),
      200_000,
    );
    markdown = readFileSync(join(world.env['DATA_DIR'] as string, 'documents/INC-1/postmortem.md'), 'utf8');
    tokens = new MarkdownIt({ html: true, linkify: false }).parse(markdown, {});
  }, 240_000);
  afterAll(async () => {
    await world.close();
    await long.close();
  });

  it('reaches the post-mortem whole: every message and every reply, each once', () => {
    const found = [...(markdown.match(/said-\d{5}/g) ?? [])].sort();
    expect(found).toEqual(talk.map((_, index) => marker(index)));
    expect(markdown.match(/ \(edited\):/g)?.length).toBeGreaterThanOrEqual(400);
    const names = talk.flatMap(({ files = [] }) => files.map(({ permalink }) => String(permalink)));
    for (const permalink of names) expect(markdown.split(`(${permalink})`).length, permalink).toBe(2);
  });

  it('has each reply under the message that it answers', () => {
    const answers = repliesIn(tokens);
    const indexOf = new Map(talk.map(({ ts }, index) => [ts, index]));
    const wrong = talk.flatMap(({ thread_ts, ts }, index) => {
      const isReply = thread_ts !== undefined && thread_ts !== ts;
      const root = indexOf.get(thread_ts ?? '') ?? 0;
      const expected = isReply ? marker(root) : undefined;
      return answers.get(marker(index)) === expected ? [] : [marker(index)];
    });
    expect(wrong).toEqual([]);
  });

  it('keeps the last text of what was edited, and nothing of what was taken back', () => {
    const shown = [...(markdown.match(/heard-\d{2}/g) ?? [])];
    const left = Array.from({ length: HEARD }, (_, index) => index).filter((index) => index % 5 !== 1);
    expect([...shown].sort()).toEqual(left.map(heard));
    expect(markdown.includes('heard-02 was corrected'), 'heard-02 was corrected').toBe(true);
    expect(markdown.includes('heard-02 was said'), 'heard-02 was said').toBe(false);
    expect(markdown.match(/\(message deleted\)/g)).toHaveLength(HEARD - left.length);
  });

  it('is read by another parser as the document that was written, and as nothing that people wrote into it', () => {
    expect(headingsIn(tokens)).toEqual(
      expect.arrayContaining(['Summary', 'Timeline', 'What is still missing']),
    );
    expect(headingsIn(tokens).filter((one) => /hostile|boss/.test(one))).toEqual([]);
    expect(headingsIn(tokens).filter((one) => one === 'Timeline')).toHaveLength(1);
    const all = tokens.flatMap((token) => [token, ...(token.children ?? [])]);
    const kinds = new Set(all.map(({ type }) => type));
    for (const kind of ['html_block', 'html_inline', 'hr']) expect(kinds).not.toContain(kind);
    const pictures = all.filter(({ type }) => type === 'image').map((token) => String(token.attrGet('src')));
    expect(pictures.filter((source) => !/^(?:INC-1-|files\/)[\w.-]+$/.test(source))).toEqual([]);
    const written = new Set(['https://board.example/d?a=1&b=2', 'https://evil.example/)(']);
    const links = all
      .filter(({ type }) => type === 'link_open')
      .map((token) => decodeURI(String(token.attrGet('href'))));
    const strange = links.filter((link) => !written.has(link) && !/^https:\/\/files\.example\//.test(link));
    expect([...new Set(strange)]).toEqual([]);
    expect(links.filter((link) => link.startsWith('https://board.example/'))).toHaveLength(1_000);
    expect(tablesWith(tokens, /hostile|said-|boss/)).toBe(0);
  });

  it('shows hostile text and names in every script, and no character that hides or turns text', () => {
    for (const kind of ['hostile', 'дежурный', '支援担当', 'المناوب', 'ответы неверны', 'الإجابات خاطئة'])
      expect(markdown.includes(kind), kind).toBe(true);
    expect(markdown.match(/hostile/g)?.length).toBeGreaterThan(HOSTILE.length);
    expect(markdown.match(/[\u0000-\u0008\u000e-\u001f\u202a-\u202e\u2066-\u2069]/)).toBeNull();
    expect(markdown.match(/(?<!\\)<!(?:channel|here|everyone|subteam)/)).toBeNull();
  });

  it('holds nothing of 28 kinds of personal data and keys that were said', () => {
    expect(PLANTED.length).toBeGreaterThanOrEqual(28);
    for (const secret of PLANTED) expect(markdown.includes(secret), secret).toBe(false);
    for (const secret of [EMAIL, CARD, KEY]) expect(markdown.includes(secret), secret).toBe(false);
    for (const kind of ['email', 'phone', 'card', 'iban', 'id', 'key'])
      expect(markdown.includes(`[${kind}]`), `[${kind}]`).toBe(true);
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

function headingsIn(tokens: readonly Token[]): string[] {
  return tokens.flatMap(({ type }, at) => (type === 'heading_open' ? [tokens[at + 1]?.content ?? ''] : []));
}

/** By the marker of a message, the marker of the one it stands under; undefined for what stands under none. */
function repliesIn(tokens: readonly Token[]): Map<string, string | undefined> {
  const open: (string | undefined)[] = [];
  const under = new Map<string, string | undefined>();
  for (const { type, content } of tokens) {
    if (type === 'list_item_open') open.push(undefined);
    else if (type === 'list_item_close') open.pop();
    const found = type === 'inline' || type === 'fence' ? /said-\d{5}/.exec(content)?.[0] : undefined;
    if (found === undefined) continue;
    open[open.length - 1] = found;
    under.set(found, open.at(-2));
  }
  return under;
}

function tablesWith(tokens: readonly Token[], what: RegExp): number {
  let depth = 0;
  let count = 0;
  for (const { type, content } of tokens) {
    if (type === 'table_open') depth += 1;
    else if (type === 'table_close') depth -= 1;
    else if (depth > 0 && what.test(content)) count += 1;
  }
  return count;
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

/** Some is said while the bot listens; some of that is corrected or taken back, also while it does not. */
async function talkAndTakeBack(world: World, room: string): Promise<void> {
  const oncall = world.slack.as('oncall');
  const said = [];
  for (let index = 0; index < HEARD; index += 1)
    said.push(await oncall.say(room, `${heard(index)} was said.`));
  const [, gone, corrected] = said;
  if (gone === undefined || corrected === undefined) throw new Error('nothing was said');
  await oncall.edit(corrected, 'heard-02 was corrected.');
  await oncall.remove(gone);
  await world.stopBot();
  for (const [index, message] of said.entries())
    if (index > 1 && index % 5 === 1) await oncall.remove(message);
  await world.restart();
}
