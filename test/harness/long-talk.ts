import { personalData } from '../../src/example-personal-data.ts';
import type { SeededMessage } from './long-room.ts';

const MESSAGES = 10_000;
const THREADS = 300;
const REPLIES_EACH = 10;

/** People by what they do, in several scripts, one of them with a name that would be markup. */
export const TALKERS: ReadonlyMap<string, string> = new Map([
  ['U0TALKER01', 'дежурный'],
  ['U0TALKER02', '支援担当'],
  ['U0TALKER03', 'المناوب'],
  ['U0TALKER04', '</td><b>boss</b> | # *x* [y](javascript:z) <!channel>'],
  ['U0TALKER05', 'οδηγός 🧑‍🚒'],
]);

/** What must stay text, whatever it looks like. */
export const HOSTILE = [
  'hostile <!channel> <!here> <!everyone> <!subteam^S0EVERYONE|@all>',
  'hostile <script>alert(1)</script><img src=x onerror=alert(1)>',
  'hostile &lt;script&gt;alert(1)&lt;/script&gt; &lt;a href="javascript:1"&gt;x&lt;/a&gt;',
  '# hostile heading\n\n## Timeline\n\n- [x] a task\n\n---\n\n***',
  'hostile\n===\n\nhostile\n---',
  'hostile [click](javascript:alert(1)) ![p](https://evil.example/p.png) [ref]: https://evil.example',
  'hostile ```\nnever closed',
  '~~~\nhostile fence\n~~~',
  '| hostile | b |\n|---|---|\n| 1 | 2 |',
  'hostile <!-- everything after this is a comment',
  '    hostile indented\n\n\tcode',
  '1. hostile\n2. list\n\n* star\n+ plus',
  '&gt; hostile quote\n&gt; # in it',
  'hostile <javascript:alert(1)|link> <data:text/html,x|data> <https://evil.example/)(|a](b>',
  'hostile \u202egnp.exe\u202c \u2066x\u2069 \u0007\u001b[31m',
  'hostile &amp;#35; &amp;lt;b&amp;gt; \\# \\<b\\> `` ` ``',
  'hostile https://evil.example/auto www.evil.example evil@evil.example',
  '<details><summary>hostile</summary>',
] as const;

export const marker = (index: number) => `said-${String(index).padStart(5, '0')}`;

/** Ten thousand messages, a minute of each five, 300 of them with ten replies; some edited, some with files. */
export function longTalk(endSeconds: number): SeededMessage[] {
  const tsOf = (index: number) => `${endSeconds - (MESSAGES - index) * 2}.${String(index).padStart(6, '0')}`;
  const users = [...TALKERS.keys()];
  const firstReply = MESSAGES - THREADS * REPLIES_EACH;
  return Array.from({ length: MESSAGES }, (_, index) => {
    const user = users[index % users.length] ?? '';
    const root = (index % THREADS) * 20;
    const isRoot = index % 20 === 0 && index / 20 < THREADS;
    return {
      ts: tsOf(index),
      user,
      text: textOf(index),
      ...(index >= firstReply ? { thread_ts: tsOf(root) } : {}),
      ...(isRoot ? { thread_ts: tsOf(index), reply_count: REPLIES_EACH } : {}),
      ...(index % 25 === 3 ? { edited: { user, ts: tsOf(index) } } : {}),
      ...(index % 100 === 7 ? { files: [fileOf(index)] } : {}),
    };
  });
}

function textOf(index: number): string {
  const [, secret] = index % 50 === 11 ? (personalData[((index - 11) / 50) % personalData.length] ?? []) : [];
  if (secret !== undefined) return `${marker(index)} a customer sent this: ${secret}`;
  if (index % 10 === 1) return `${HOSTILE[((index - 1) / 10) % HOSTILE.length]}\n\n${marker(index)}`;
  if (index % 10 === 4)
    return `<@U0TALKER02> ${marker(index)} see <https://board.example/d?a=1&amp;b=2|the board>`;
  if (index % 10 === 6) return `${marker(index)} *bold*, _it_, ~no~, \`code\` and 1 &lt; 2`;
  if (index % 10 === 8) return `${marker(index)} ответы неверны, 回答が間違っている, الإجابات خاطئة`;
  return `${marker(index)} was said.`;
}

const fileOf = (index: number) => ({
  id: `F0TALK${index}`,
  name: `graph ![${index}](x) of errors.png`,
  permalink: `https://files.example/graph-${index}.png`,
});

/** What of each planted value must be in no document: all between what its redacted form keeps at both ends. */
export const PLANTED: readonly string[] = personalData.map(([, text, redacted]) => {
  let start = 0;
  while (start < redacted.length && text[start] === redacted[start]) start += 1;
  let end = 0;
  while (end < redacted.length - start && text.at(-1 - end) === redacted.at(-1 - end)) end += 1;
  return text.slice(start, text.length - end);
});
