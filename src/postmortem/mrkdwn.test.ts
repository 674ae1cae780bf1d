import fc from 'fast-check';
import type { Root, RootContent } from 'mdast';
import { describe, expect, it } from 'vitest';
import { mrkdwnToFlow, mrkdwnToPhrasing } from './mrkdwn.ts';
import { toMarkdown } from './postmortem.ts';

const names = new Map([
  ['U1', 'ana'],
  ['C1', 'general'],
  ['S1', 'oncall'],
]);
const flow = (text: string) => toMarkdown({ type: 'root', children: mrkdwnToFlow(text, names) });
const line = (text: string) => {
  const children = mrkdwnToPhrasing(text, names);
  const root: Root = { type: 'root', children: [{ type: 'paragraph', children }] };
  return toMarkdown(root);
};

describe('mrkdwn', () => {
  it.each([
    ['a mention by the name we know', '<@U1> and <@U1|old>', '@ana and @ana\n'],
    ['an unknown mention by its own label, else its id', '<@U9|bo> <@U8>', '@bo @U8\n'],
    ['a channel', 'in <#C1> <#C9|random> <#C8>', 'in #general #random #C8\n'],
    ['a call to all as plain text', '<!here> <!channel>', '@here @channel\n'],
    ['a call to a group as plain text', '<!subteam^S1> <!subteam^S9|@web>', '@oncall @web\n'],
    ['a date by its fallback', '<!date^1392734382^{date}|18 Feb 2014>', '18 Feb 2014\n'],
    ['a labelled link', '<https://a.example/?y=1&amp;z=2|chart>', '[chart](https://a.example/?y=1\\&z=2)\n'],
    ['a bare link', '<https://a.example/x>', '<https://a.example/x>\n'],
    ['a mail link', '<mailto:a@b.example|write>', '[write](mailto:a@b.example)\n'],
    ['marks', '*bold* _italic_ ~gone~ `co*de`', '**bold** _italic_ ~~gone~~ `co*de`\n'],
    ['nested marks', '*bold _both_*', '**bold _both_**\n'],
    ['a mark inside a word as it is', 'snake_case_name 2*3*4', 'snake_case_name 2\\*3\\*4\n'],
    ['an unclosed mark as it is', '*half', '\\*half\n'],
    ['entities once', '&amp;lt; &lt;b&gt;', '\\&lt; \\<b>\n'],
    ['line ends', 'one\ntwo\n\nthree', 'one\\\ntwo\n\nthree\n'],
    ['a quote', '&gt; said\n&gt; so\nindeed', '> said\\\n> so\n\nindeed\n'],
    ['a quote to the end', '&gt;&gt;&gt; all\nof it', '> all\\\n> of it\n'],
    ['a code block', 'see ```if (a &lt; b) {}``` there', 'see\n\n```\nif (a < b) {}\n```\n\nthere\n'],
    ['an unclosed fence as text', 'a ``` b', 'a \\`\\`\\` b\n'],
  ])('keeps %s', (_, text, markdown) => {
    expect(flow(text)).toBe(markdown);
  });

  it.each([
    ['javascript:alert(1)|click', 'click\n'],
    ['data:text/html,x', 'data:text/html,x\n'],
    ['tel:+14155552671|call', 'call\n'],
    ['http://[broken|label', 'label\n'],
  ])('never links to %s', (reference, markdown) => {
    expect(flow(`<${reference}>`)).toBe(markdown);
  });

  it('runs blocks on where only one line fits', () => {
    expect(line('*a*\n&gt; b\n```c\nd```')).toBe('**a** > b `c d`\n');
  });

  it('drops characters that hide or reorder text', () => {
    expect(flow('a\u202eb\u0000c\u2066d')).toBe('abcd\n');
  });

  it('yields no HTML, heading, list, image or raw link, whatever the text', () => {
    const hostile = fc.constantFrom(
      '<b>',
      '</b>',
      '<!here>',
      '# h\n',
      '\n---\n',
      '- x\n',
      '1. y\n',
      '![i](u)',
      '[a](b)',
      '|',
      '\n',
      '```',
      '`',
      '*',
      '_',
      '~',
      '&gt;',
      '&lt;script&gt;',
      '<https://a.b|x>',
      '<@U1>',
      ' ',
      'word',
      '\\',
      '[x]: http://y\n',
    );
    const text = fc.array(hostile, { maxLength: 20 }).map((parts) => parts.join(''));
    const allowed = new Set([
      'paragraph',
      'blockquote',
      'code',
      'text',
      'strong',
      'emphasis',
      'delete',
      'inlineCode',
      'break',
      'link',
    ]);
    fc.assert(
      fc.property(text, (value) => {
        for (const type of types(mrkdwnToFlow(value, names))) expect(allowed).toContain(type);
      }),
    );
  });

  it('reads two hundred thousand open marks without slowing down', () => {
    for (const seed of ['*a ', '_*~a ', '<', '&gt;\n', '```', '`a', '*a* ']) {
      const start = performance.now();
      mrkdwnToFlow(seed.repeat(200_000 / seed.length), names);
      expect(performance.now() - start).toBeLessThan(2_000);
    }
  });
});

function types(nodes: readonly RootContent[]): string[] {
  return nodes.flatMap((node) => [
    node.type,
    ...('children' in node ? types(node.children as RootContent[]) : []),
  ]);
}
