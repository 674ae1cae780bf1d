import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toMarkdown as mdastToMarkdown } from 'mdast-util-to-markdown';
import { describe, expect, it } from 'vitest';
import { at, empty, full, message, names, ts } from './example-record.ts';
import { markdownStyle } from './markdown.ts';
import { assemble, markdownPieces, toMarkdown } from './postmortem.ts';
import type { PostmortemRecord } from './record.ts';

const write = (record: PostmortemRecord) => toMarkdown(assemble(record, { names }));

/** The document as another parser reads it back. */
function outline(markdown: string): string[] {
  const root = fromMarkdown(markdown, { mdastExtensions: [gfmFromMarkdown()] });
  return root.children.flatMap((node) => (node.type === 'heading' ? [`${node.depth} ${textOf(node)}`] : []));
}

function textOf(node: object): string {
  if ('value' in node) return String(node.value);
  return 'children' in node ? (node.children as object[]).map(textOf).join('') : '';
}

describe('post-mortem of hostile text', () => {
  const shard = fc.constantFrom(
    '# h',
    '\n# h\n',
    '\n---\n',
    '\n===\n',
    '<h1>x</h1>',
    '<!--',
    '-->',
    '<script>',
    '|',
    '\n| - |\n',
    '```',
    '~~~',
    '\n',
    '\r',
    '\u2028',
    '\n\n    code',
    '- ',
    '1. ',
    '> ',
    '&gt;',
    '&#35; h',
    '[a]: /b',
    '![x](y)',
    '*',
    '_',
    '~',
    '`',
    '\\',
    '<https://a.b|x>',
    '<@U1>',
    '<!here>',
    '\t',
    ' ',
    'word',
    '$$',
    '[^1]: note',
    'www.a.b',
    'a@b.co',
  );
  const hostile = fc.array(shard, { maxLength: 12 }).map((parts) => parts.join(''));

  function record(text: string, other: string): PostmortemRecord {
    const [step] = full.decisionPath?.steps ?? [];
    const [mitigation] = full.mitigations;
    if (!step || !mitigation) throw new Error('the full record has both');
    return {
      ...full,
      incident: { ...full.incident, title: text, summary: other, service: text, rule: other },
      impact: { text: other },
      changes: [{ component: text, from: other, to: text, at: at(0) }],
      answers: { whatHappened: { text, by: other }, whatPrevents: { text: other, by: text } },
      events: [{ at: at(1), kind: text, text: other, actor: text }],
      messages: [
        message(2, text, { userId: other, permalink: text, files: [{ name: text, permalink: other }] }),
        message(3, other, { threadTs: ts(2) }),
        message(4, text, { threadTs: ts(2), editedTs: '1' }),
      ],
      decisionPath: {
        symptom: text,
        steps: [{ ...step, question: text, finding: other, answer: text }],
        leaf: other,
      },
      mitigations: [{ ...mitigation, summary: text, from: other, to: text, id: other }],
      dataPoints: {
        prompt: { name: text, version: other, sha256: text, rendered: other },
        model: { requested: text, served: other, parameters: { [text]: other } },
        samples: [{ callId: text, verdict: 'bad', input: text, output: other }],
        drift: [{ at: at(0), rule: text, value: null, n: 0, state: other }],
        inputShift: [{ metric: text, before: 1, after: 2, n: 3 }],
      },
      actionItems: [{ text, owner: other }],
      evalCases: [{ description: text, proven: false }],
    };
  }

  it('never changes the outline of the headings, as another parser reads them', () => {
    const [, ...expected] = outline(write({ ...empty, mitigations: full.mitigations }));
    expect(expected.length).toBe(25);
    fc.assert(
      fc.property(hostile, hostile, (text, other) => {
        const [title, ...rest] = outline(write(record(text, other)));
        expect(title).toMatch(/^1 Post-mortem of INC-12: ./);
        expect(rest).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it('never adds a column to a table', () => {
    fc.assert(
      fc.property(hostile, hostile, (text, other) => {
        const rows = write(record(text, other))
          .split('\n')
          .filter((line) => line.startsWith('| '));
        const facts = rows.slice(0, rows.findIndex((row) => row.includes('Time to resolve')) + 1);
        for (const row of facts) expect(row.match(/(?<!\\)\|/g)).toHaveLength(3);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves no HTML for a reader to run', () => {
    fc.assert(
      fc.property(hostile, hostile, (text, other) => {
        const root = fromMarkdown(write(record(text, other)));
        expect(typesOf(root)).not.toContain('html');
        expect(typesOf(root)).not.toContain('image');
      }),
      { numRuns: 200 },
    );
  });

  it('is written the same by the quick text handler as by the library', () => {
    fc.assert(
      fc.property(hostile, fc.string(), (text, other) => {
        const root = assemble(record(text, other), { names });
        expect(toMarkdown(root)).toBe(mdastToMarkdown(root, markdownStyle));
      }),
      { numRuns: 300 },
    );
  });

  it('is written the same in pieces as by the library', () => {
    const token = fc.constantFrom(
      ...[
        '*bold*',
        '_it_',
        '~no~',
        '`code`',
        '<https://a.b/c?d=1&amp;e=2|board>',
        '<https://a.b/c>',
        '<@U1>',
      ],
      ...[
        'word',
        'a_b',
        '3.',
        '(x)',
        '&gt; q',
        '\n',
        ' ',
        ' ',
        ' ',
        ', ',
        '.',
        ':',
        '@',
        '!',
        '&amp;',
        '[',
        ']',
      ],
      ...['www.a.b', 'a@b.co', 'é', '支援', '👍', '\\', '#', '+', '-', '=', '|', '&lt;b', '\n\n', '```x```'],
    );
    const said = fc.array(token, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(said, said, (text, other) => {
        const messages = [
          message(2, text),
          message(3, other, { threadTs: ts(2), permalink: 'https://s.example/p1', editedTs: '1' }),
          message(4, `${text} ${other}`, { files: [{ name: 'a b.png', permalink: 'https://f.example/1' }] }),
        ];
        const events = [{ at: at(1), kind: 'note', text, actor: 'U1' }];
        const all = { ...empty, messages, events };
        const whole = mdastToMarkdown(assemble(all, { names }), markdownStyle);
        expect([...markdownPieces(all, { names })].join('')).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });

  function typesOf(node: object): string[] {
    const own = 'type' in node ? [String(node.type)] : [];
    return 'children' in node ? [...own, ...(node.children as object[]).flatMap(typesOf)] : own;
  }
});
