import MarkdownIt from 'markdown-it';
import { expect, test } from 'vitest';
import { empty } from './example-record.ts';
import { assemble, markdownPieces, toMarkdown } from './postmortem.ts';
import type { PostmortemRecord } from './record.ts';

const files = [
  { id: 'F1', name: 'a] (b).png', kept: { path: 'files/F1-a-b.png', isPicture: true } },
  { id: 'F2', name: 'log <b>.txt', kept: { path: 'files/F2-log-b.txt', isPicture: false } },
  { id: 'F3', name: 'tool.exe', permalink: 'https://acme.slack.com/files/F3', notKept: 'it is no picture' },
];
const record: PostmortemRecord = {
  ...empty,
  messages: [{ ts: '1763800000.000100', userId: 'U0000001', text: 'Look', files }],
  dataPoints: { drift: [] },
  charts: [{ path: 'INC-1-metric.png', alt: 'Score: 0.4 at first, [1.0] at last.' }],
};

test('files and charts are links and pictures of what is beside the document, and of nothing else', () => {
  const markdown = toMarkdown(assemble(record));
  expect([...markdownPieces(record)].join('')).toBe(markdown);
  const tokens = new MarkdownIt().parse(markdown, {}).flatMap(({ children }) => children ?? []);
  const of = (type: string, attribute: string) =>
    tokens.filter((token) => token.type === type).map((token) => token.attrGet(attribute));
  expect(of('image', 'src')).toEqual(['files/F1-a-b.png', 'INC-1-metric.png']);
  expect(of('link_open', 'href')).toEqual([
    'files/F1-a-b.png',
    'files/F2-log-b.txt',
    'https://acme.slack.com/files/F3',
  ]);
  const shown = tokens.find(({ type }) => type === 'image')?.children ?? [];
  expect(shown.map(({ content }) => content).join('')).toBe('a] (b).png');
  expect(markdown).toContain('(no copy: it is no picture)');
});
