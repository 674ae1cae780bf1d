import { describe, expect, it } from 'vitest';
import { empty, full, message, names, ts } from './example-record.ts';
import { assemble, markdownPieces, toMarkdown } from './postmortem.ts';
import { type PostmortemRecord, questions } from './record.ts';

const write = (record: PostmortemRecord) => toMarkdown(assemble(record, { names }));

function headings(markdown: string): string[] {
  const lines = markdown.split('\n').filter((line) => /^#{1,6} /.test(line));
  return lines.map((line) => line.replace(/^#+/, (marks) => String(marks.length)));
}

const sections = [
  '2 Summary',
  '2 Impact',
  '2 The five questions',
  ...Object.values(questions).map((question) => `3 ${question}`),
  '2 Timeline',
  '2 Decision path',
  '2 Mitigations',
  '2 The five data points',
  '3 Prompt in use',
  '3 Model and configuration',
  '3 Sample of outputs',
  '3 Drift in the two hours before',
  '3 Shift of the inputs',
  '2 What went well, what went badly, where we were lucky',
  '3 What went well',
  '3 What went badly',
  '3 Where we were lucky',
  '2 Action items',
  '2 Eval cases',
  '2 What is still missing',
];

describe('post-mortem', () => {
  it('has every section in order, even when nothing was recorded', () => {
    const markdown = write(empty);
    expect(headings(markdown)).toEqual(['1 Post-mortem of INC-12: Refunds invented', ...sections]);
    expect(markdown).toContain('## Mitigations\n\nNo mitigation was proposed.');
    expect(markdown).toContain('## Decision path\n\nNobody walked the decision tree.');
    expect(markdown).not.toMatch(/\n#+ [^\n]+\n+(?=## )/);
  });

  it('tells the story in words, with durations between milestones', () => {
    const markdown = write(full);
    expect(markdown).toContain('| Time to detect | 12 minutes |');
    expect(markdown).toContain('| Time to contain | 8 minutes |');
    expect(markdown).toContain('| Time to resolve | 1 hour 23 minutes |');
    expect(markdown).toContain(
      'It started at 2026-11-22 02:00:00 UTC and was detected 12 minutes later. Counted from its detection, it was contained after 8 minutes, mitigated after 19 minutes and resolved after 1 hour 23 minutes.',
    );
    expect(markdown).toContain('The rule `quality-drop` measured 0.61 over 230 samples.');
    expect(markdown).toContain('The baseline was 0.82 over 4,000 samples, so this is 25.6 % lower.');
    expect(markdown).toContain('- 2026-11-22 01:57:00 UTC: prompt answer went from v13 to v14.');
    expect(markdown).toContain('Affected requests: 412 of 8,000 (5.1 %). 37 users received a bad output.');
  });

  it('answers each question with its source', () => {
    const markdown = write(full);
    expect(markdown).toContain('Prompt v14 told the model to **guess**.\n\nAnswered by @ana.');
    expect(markdown).toContain('Within a minute of the move.\n\nAnswered from the evidence.');
  });

  it('merges machine and people by time, replies under their root', () => {
    expect(write(full)).toContain(
      [
        '- **2026-11-22 02:12:00** Bot: quality-drop fired.',
        '- **2026-11-22 02:13:00** ana: Looking at @bo, @here',
        '  - **2026-11-22 02:16:00** bo (edited): It is v14',
        '',
        '    File: a.png',
        '- **2026-11-22 02:14:00** cy: (message deleted)',
      ].join('\n'),
    );
  });

  it('keeps nothing of a deleted message but that it was there', () => {
    expect(write(full)).not.toMatch(/a secret|gone\.txt/);
  });

  it('keeps the replies of a message that was not recorded', () => {
    const markdown = write({ ...empty, messages: [message(16, 'still here', { threadTs: ts(13) })] });
    expect(markdown).toContain(
      '- **2026-11-22 02:13:00** A message that was not recorded.\n  - **2026-11-22 02:16',
    );
  });

  it('prints what has no readable time last', () => {
    const markdown = write({ ...empty, messages: [message(1, 'odd', { ts: 'x' }), message(2, 'even')] });
    expect(markdown).toMatch(/ana: even\n- \*\*time unknown\*\* ana: odd/);
  });

  it('prints the decision path and the receipt of a mitigation', () => {
    const markdown = write(full);
    expect(markdown).toContain(
      '1. Did the prompt change? **Yes**, from the evidence at 2026-11-22 02:16:00 UTC. Found: v13 to v14.',
    );
    expect(markdown).toContain('- Plan MIT-3 from v14 to v13, proposed by @ana, approved by @bo and @cy.');
    expect(markdown).toContain('- Receipt: proven, from 214 calls. The metric went from 0.61 to 0.83 (');
    expect(markdown).toContain('at 2026-11-22 02:26:00 UTC, 1 minute 35 seconds after it was applied.');
  });

  it('says so when the served model is not the requested one', () => {
    expect(write(full)).toContain('Requested `m-1`, served `m-1-0806`. These differ');
  });

  it('redacts outside text wherever it stands', () => {
    const markdown = write({
      ...full,
      incident: { ...full.incident, title: 'jane@example.com complains' },
      messages: [message(13, 'mail <mailto:jane@example.com|jane@example.com>', { userId: 'U7' })],
    });
    expect(markdown).not.toContain('jane@');
    expect(markdown).not.toContain('abc123xyz');
    expect(markdown).toContain('400 days, [email]');
    expect(toMarkdown(assemble(full, { names: new Map([['U1', 'jane@example.com']]) }))).not.toContain(
      'jane@',
    );
  });

  it('prints no recorded text of a private incident and says why', () => {
    const markdown = write({ ...full, incident: { ...full.incident, private: true } });
    expect(markdown).not.toMatch(/How long\?|400 days|You are a helper/);
    expect(markdown).toContain('This incident is private. Recorded texts stay in the content store');
    expect(markdown).toContain('| `c1` | bad | 0.1 | not checked |');
  });

  it('cuts a long recorded text and says so', () => {
    const samples = [{ callId: 'c', verdict: 'bad' as const, input: 'x'.repeat(50), output: '' }];
    const root = assemble({ ...empty, dataPoints: { samples } }, { maxTextChars: 20 });
    const markdown = toMarkdown(root);
    expect(markdown).toContain(`\n${'x'.repeat(20)}\n`);
    expect(markdown).toContain('Shortened: this shows 20 of 50 characters.');
    expect(markdown).toContain('It was empty.');
  });

  it('says that nothing is missing when nothing is', () => {
    expect(write(full)).toMatch(/## What is still missing\n\nNothing\. /);
  });
});

describe('post-mortem of a long room', () => {
  it('takes no more than its share of time for four times the messages', () => {
    const room = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...message(
          0,
          `step ${index}: *error rate* is 0.4% <https://g.example/d?x=1&amp;y=2|board>, ask <@U2>`,
        ),
        ts: (1_763_800_000 + index).toFixed(6),
        ...(index % 10 > 4 ? { threadTs: (1_763_800_000 + index - (index % 10)).toFixed(6) } : {}),
      }));
    const time = (count: number) => {
      const messages = room(count);
      const runs = [0, 1].map(() => {
        const start = performance.now();
        for (const piece of markdownPieces({ ...full, messages }, { names })) expect(piece).not.toBe('');
        return performance.now() - start;
      });
      return Math.min(...runs);
    };
    time(500);
    // Quadratic work would take sixteen times as long. A busy machine may spoil a try; the best of three counts.
    const ratios = [0, 1, 2].map(() => time(10_000) / time(2_500));
    expect(Math.min(...ratios)).toBeLessThan(9);
  });
});
