import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import MarkdownIt from 'markdown-it';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { type Block, Message, type MessageProps } from 'slack-blocks-to-jsx';
import { type Fields, isRecord, list, type SlackView, text } from '../../src/demo/slack/slack-shapes.ts';

/** Who and where is shown for the ids in a message, and what "today" is. */
export interface Surroundings {
  users: readonly { id: string; name: string }[];
  channels: readonly { id: string; name: string }[];
  now: Date;
}

/** A message as it stands in a channel; `at` is when it was posted. */
export function messagePage(message: { blocks: Fields[]; at: Date }, around: Surroundings): string {
  const head = `<div class="who"><b>llm-incident</b> <i>APP</i> <span>${clock(message.at)}</span></div>`;
  return page(
    `<div class="message"><div class="face">◆</div><div>${head}${blocksOf(message.blocks, around)}</div></div>`,
  );
}

/** A form as it opens over the channel. */
export function modalPage(view: SlackView, around: Surroundings): string {
  const [title, close, submit] = ['title', 'close', 'submit'].map((part) => labelOf(view[part]));
  const foot = `<div class="foot"><span class="button">${close}</span><span class="button main">${submit}</span></div>`;
  const whole = `<div class="bar"><b>${title}</b><span>✕</span></div>${blocksOf(view.blocks, around)}${foot}`;
  return page(`<div class="modal">${whole}</div>`);
}

/** The home tab of the app. */
export function homePage(view: SlackView, around: Surroundings): string {
  const bar =
    '<div class="bar"><b>llm-incident</b></div><div class="tabs"><b>Home</b><span>Messages</span></div>';
  return page(`<div class="home">${bar}${blocksOf(view.blocks, around)}</div>`);
}

/** The beginning of a Markdown document, so many CSS pixels of it. */
export function documentPage(markdown: string, heightPx: number): string {
  const html = new MarkdownIt({ html: false }).render(markdown);
  return page(`<div class="document" style="max-height:${heightPx}px">${html}<div class="fade"></div></div>`);
}

const labelOf = (value: unknown) => (isRecord(value) ? escaped(text(value['text'])) : '');
const escaped = (said: string) => said.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function blocksOf(blocks: readonly Fields[], around: Surroundings): string {
  const { users, channels, now } = around;
  const props: MessageProps = {
    blocks: blocks.map(asSlackShowsIt) as unknown as Block[],
    name: '',
    logo: '',
    theme: 'light',
    withoutWrapper: true,
    data: { users: users.map((user) => ({ ...user, avatar: '' })), channels: [...channels] },
    // Without emoji a time such as 13:56:02 is not taken for one.
    hooks: {
      emoji: ({ name }) => `:${name}:`,
      date: ({ timestamp, format }) => slackDate(timestamp, format, now),
    },
  };
  return renderToStaticMarkup(createElement(Message, props));
}

// Two things that the library does otherwise than Slack: it says nowhere that a field is optional, and it shows the
// marks of a "verbatim" text instead of reading them.
function asSlackShowsIt(block: Fields): Fields {
  const { label, optional } = block;
  const isOptional = optional === true && isRecord(label);
  const told = isOptional
    ? { ...block, label: { ...label, text: `${text(label['text'])} (optional)` } }
    : block;
  return JSON.parse(JSON.stringify(told, (key, value) => (key === 'verbatim' ? undefined : value))) as Fields;
}

const DAY_MS = 86_400_000;

/** Slack's own words for a near day; UTC, so that a picture is the same everywhere. */
function slackDate(timestamp: string, format: string, now: Date): string {
  const at = new Date(Number(timestamp) * 1_000);
  const day = Math.floor(at.getTime() / DAY_MS) - Math.floor(now.getTime() / DAY_MS);
  const near = new Map([
    [-1, 'yesterday'],
    [0, 'today'],
    [1, 'tomorrow'],
  ]).get(day);
  const far = at.toLocaleDateString('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });
  return format.replace('{date_short_pretty}', near ?? far).replace('{time}', clock(at));
}

const clock = (at: Date) => at.toISOString().slice(11, 16);

/** All buttons and menus of a message, in the order in which they are shown. */
export function buttonLabels(blocks: readonly Fields[]): string[] {
  return blocks
    .filter((block) => block['type'] === 'actions')
    .flatMap((block) => list(block['elements']))
    .map((element) => labelOf(element['text'] ?? element['placeholder']));
}

const require = createRequire(import.meta.url);

function page(inside: string): string {
  const library = readFileSync(
    join(dirname(require.resolve('slack-blocks-to-jsx/package.json')), 'dist/style.css'),
    'utf8',
  );
  return (
    `<!doctype html><meta charset="utf-8"><style>${library}</style><style>${fontFaces()}${STYLE}</style>` +
    `<div id="picture">${inside}</div>`
  );
}

// The font comes with the project: a machine may have none, and the pictures look the same everywhere.
function fontFaces(): string {
  const folder = join(dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const face = (family: string, file: string, weight: string) =>
    `@font-face{font-family:"${family}";font-weight:${weight};src:url("${pathToFileURL(join(folder, file)).href}")}`;
  return (
    face('Ours', 'DejaVuSansCondensed.ttf', '400') +
    face('Ours', 'DejaVuSansCondensed-Bold.ttf', '500 900') +
    face('Ours Mono', 'DejaVuSansMono.ttf', '400')
  );
}

const STYLE = `
body { margin: 0; background: #fff; color: #1d1c1d; }
#picture, #picture * { font-family: "Ours", sans-serif !important; }
#picture code, #picture pre, #picture pre *, #picture .font-mono { font-family: "Ours Mono", monospace !important; }
#picture { font-size: 14px; line-height: 1.45; padding: 12px 14px; }
.message { display: flex; gap: 10px; }
.message > div:last-child { flex: 1; min-width: 0; }
.face { flex: none; width: 34px; height: 34px; border-radius: 7px; background: #1d4f8c; color: #fff; font-size: 20px;
  display: flex; align-items: center; justify-content: center; }
.who i { font-style: normal; font-size: 10px; background: #e8e8e8; color: #616061; border-radius: 2px; padding: 1px 3px; }
.who span { font-size: 12px; color: #616061; }
.bar { display: flex; justify-content: space-between; font-size: 17px; padding: 2px 0 10px; }
.modal, .home { border: 1px solid #ddd; border-radius: 10px; padding: 14px; }
.tabs { display: flex; gap: 18px; border-bottom: 1px solid #ddd; margin-bottom: 6px; }
.tabs b { border-bottom: 2px solid #1d4f8c; padding-bottom: 6px; }
.tabs span { color: #616061; }
.foot { display: flex; gap: 8px; justify-content: flex-end; padding-top: 14px; }
.foot .button { border: 1px solid #bbb; border-radius: 5px; padding: 6px 14px; font-weight: 700; }
.foot .main { background: #007a5a; border-color: #007a5a; color: #fff; }
.document { position: relative; overflow: hidden; overflow-wrap: anywhere; }
.document h1 { font-size: 20px; margin: 0 0 8px; } .document h2 { font-size: 16px; margin: 14px 0 4px; }
.document h3 { font-size: 14px; margin: 10px 0 4px; } .document p, .document ul { margin: 4px 0; }
.document ul { padding-left: 20px; } .document table { border-collapse: collapse; font-size: 12px; margin: 6px 0; }
.document td, .document th { border: 1px solid #ddd; padding: 3px 6px; text-align: left; vertical-align: top; }
.document .fade { position: absolute; inset: auto 0 0; height: 60px; background: linear-gradient(#fff0, #fff); }
#picture textarea { height: 34px !important; min-height: 34px !important; resize: none; }
#picture .slack_blocks_to_jsx__input .text-small > p { display: none; } /* a hint of the library's own */
`;
