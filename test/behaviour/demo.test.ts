import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const DEMO = join(import.meta.dirname, '../../src/demo/demo.ts');
const LIMIT_MS = 170_000;

describe('the demo, run as a stranger runs it', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'llm-incident-demo-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('tells one incident from fault to post-mortem and leaves both documents', {
    timeout: 180_000,
  }, async () => {
    const { code, output } = await demo(folder, ['--auto']);
    expect(code, output).toBe(0);
    const last = output.trimEnd().split('\n').at(-1) ?? '';
    expect(last).toMatch(/^documents: \/.+/);
    const documents = last.slice('documents: '.length);
    const markdown = readFileSync(join(documents, 'postmortem.md'), 'utf8');
    expect(markdown).toContain('gpt-4-0613');
    expect(markdown).toContain('The alias moved under us.');
    const evals = parse(readFileSync(join(documents, 'evals.yaml'), 'utf8'));
    expect(evals.tests.length).toBeGreaterThan(0);
    for (const word of [
      'metric',
      'signal',
      'page',
      'proposal',
      'approval',
      'mitigation',
      'proof',
      'eval case',
    ]) {
      expect(output).toMatch(new RegExp(`^ +\\d\\d:\\d\\d +${word} `, 'm'));
    }
  });

  it('fails when nothing is wrong, because nothing happens', { timeout: 180_000 }, async () => {
    const { code, output } = await demo(folder, ['--auto', '--no-fault']);
    expect(output).toContain('Nothing happened: 40 simulated minutes');
    expect(code).toBe(1);
  });

  it('stays up without a console, takes its commands from stdin, and leaves no process behind', {
    timeout: 180_000,
  }, async () => {
    const { code, output } = await demo(folder, [], 'help\nas nobody say hi\nroom\nquit\n');
    expect(code, output).toBe(0);
    expect(output).toMatch(/Open it in a browser: http:\/\/127\.0\.0\.1:\d+\//);
    expect(output).toContain('Nobody here is called "nobody"');
    expect(output).toContain('There is no incident room yet');
    const bot = readFileSync(
      join(/Config, database and log: (.+)/.exec(output)?.[1] ?? '', 'data/owner.pid'),
      'utf8',
    );
    expect(() => process.kill(Number(bot), 0)).toThrow('ESRCH');
  });
});

function demo(cwd: string, args: string[], typed = ''): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [DEMO, ...args], { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(typed);
  const limit = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}
