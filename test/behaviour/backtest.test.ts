import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import { TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { callsWith } from '../harness/exact-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { textWith } from '../harness/people.ts';
import { runScript } from '../harness/process.ts';

const MINUTE_MS = 60_000;
const NOON = Date.UTC(2026, 2, 1, 12);

interface Opened {
  rule: string;
  category: string;
  severity: string;
  service: string;
  at: string;
  until: string | null;
  value: number;
  baseline: number | null;
  n: number;
  warning: boolean;
}

interface Backtest {
  calls: number;
  malformed: number;
  opened: Opened[];
}

type Line = Record<string, unknown>;

/** Texts that are all different and of one length and vocabulary, so that nothing but the scores moves. */
const textsOf = (i: number) => ({
  input: `question ${1_000 + (i % 97)}`,
  output: `an answer that has the number ${1_000 + (i % 97)} in it`,
});

/** So many lines between so many minutes before noon. */
function lines(n: number, [from, to]: [number, number], each: (index: number) => Line): Line[] {
  return Array.from({ length: n }, (_, i) => ({
    time: new Date(NOON - from * MINUTE_MS + Math.floor((i * (from - to) * MINUTE_MS) / n)).toISOString(),
    service: 'support',
    request_model: 'gpt-4',
    ...textsOf(i),
    ...each(i),
  }));
}

const scored = (good: number) => (i: number) => ({
  score: Math.floor((i + 1) * good) > Math.floor(i * good) ? 1 : 0,
});
const goodDay = lines(400, [600, 40], scored(0.8));
const badEnd = lines(120, [20, 0], scored(0.4));
const otherService = lines(100, [4, 0], (i) => ({
  service: 'search',
  error: i % 3 === 0 ? 'timeout' : null,
}));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'llm-incident-backtest-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, all: readonly (Line | string)[]) => {
  const path = join(folder, name);
  writeFileSync(path, all.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return path;
};
/** Without a config file. */
const backtest = (args: string[], env: Record<string, string> = {}) =>
  runScript('cli.ts', ['backtest', ...args], { LLM_INCIDENT_CONFIG: join(folder, 'absent.yaml'), ...env });
const asJson = async (args: string[], env?: Record<string, string>) => {
  const { code, stdout, stderr } = await backtest(['--json', ...args], env);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Backtest;
};

describe('the rules over recorded calls', () => {
  it('prints one object by npm, with what the shipped rules would have opened for every service', async () => {
    const file = written('two-services.jsonl', [...goodDay, ...badEnd, ...otherService]);
    const env = { ...process.env, LLM_INCIDENT_CONFIG: join(folder, 'absent.yaml') };
    const args = ['run', '--silent', 'backtest', '--', '--json', file];
    const { stdout } = await promisify(execFile)('npm', args, {
      cwd: join(import.meta.dirname, '../..'),
      env,
    });
    const said = JSON.parse(stdout) as Backtest;
    expect(said).toMatchObject({ calls: 620, malformed: 0 });
    const opened = said.opened.filter(({ warning }) => !warning);
    for (const one of said.opened) {
      expect(one).toEqual(
        expect.objectContaining({
          rule: expect.any(String),
          category: one.rule.split('.')[0],
          severity: expect.stringMatching(/^sev[12]$/),
          service: expect.any(String),
          at: expect.stringMatching(/^2026-03-01T1[12]:\d\d:00\.000Z$/),
          n: expect.any(Number),
          warning: expect.any(Boolean),
        }),
      );
    }
    const about = (service: string) => opened.filter((one) => one.service === service);
    expect(about('support')).toMatchObject([
      { rule: 'quality.score', category: 'quality', severity: 'sev1' },
    ]);
    const [score] = about('support');
    expect(score?.baseline).toBeCloseTo(0.8, 2);
    expect(score?.value).toBeLessThan(0.68);
    expect(score?.n).toBeGreaterThanOrEqual(100);
    expect(about('search')).toMatchObject([{ rule: 'outage.errors', baseline: null }]);
    expect(about('search')[0]?.value).toBeCloseTo(0.34, 1);
  });

  it('names each malformed line with its number, counts them, and ignores keys that it does not know', async () => {
    const [first, second, ...rest] = [...goodDay, ...badEnd] as [Line, Line, ...Line[]];
    const file = written('malformed.jsonl', [
      { ...first, colour: 'blue', nested: { deep: [1] } },
      'this is no JSON',
      '',
      { ...second, score: 'good' },
      { service: 'support', request_model: 'gpt-4' },
      second,
      ...rest,
    ]);
    const lax = await backtest(['--json', file]);
    expect(lax.code).toBe(0);
    expect(lax.stderr.trim().split('\n')).toEqual([
      `${file}:2: is not JSON`,
      expect.stringMatching(/malformed\.jsonl:4: score: /),
      expect.stringMatching(/malformed\.jsonl:5: time: /),
    ]);
    const said = JSON.parse(lax.stdout) as Backtest;
    expect(said).toMatchObject({ calls: 520, malformed: 3 });
    expect(said.opened.some(({ rule, warning }) => rule === 'quality.score' && !warning)).toBe(true);
    const strict = await backtest(['--json', '--strict', file]);
    expect(strict.code).toBe(1);
    expect(JSON.parse(strict.stdout)).toEqual(said);
  });

  it('opens nothing on a sound day, on no call, and says so to people', async () => {
    expect((await asJson([written('sound.jsonl', goodDay)])).opened).toEqual([]);
    expect(await asJson([written('empty.jsonl', [])])).toMatchObject({ calls: 0, malformed: 0, opened: [] });
    const { stdout } = await backtest([join(folder, 'sound.jsonl')]);
    expect(stdout).toContain('400 calls read, 0 malformed');
    expect(stdout).toContain('0 incidents would have opened');
  });

  it('takes a time without a zone as UTC, wherever it runs', async () => {
    const bare = ({ time, ...line }: Line): Line => ({ ...line, time: String(time).replace('Z', '') });
    const zoned = await asJson([written('zoned.jsonl', [...goodDay, ...badEnd])]);
    const file = written('bare.jsonl', [...goodDay.map(bare), ...badEnd]);
    expect(await asJson([file], { TZ: 'America/New_York' })).toEqual(zoned);
  });

  it('judges by the numbers of a config file, and joins the calls of several files', async () => {
    const config = join(folder, 'llm-incident.yaml');
    const rules = { 'quality.score': { threshold: 0.6 }, 'outage.errors': { enabled: false } };
    writeFileSync(config, JSON.stringify({ services: { support: { rules } } }));
    const files = [
      written('day.jsonl', goodDay),
      written('end.jsonl', badEnd),
      written('other.jsonl', otherService),
    ];
    const { opened, calls } = await asJson(files, { LLM_INCIDENT_CONFIG: config });
    expect(calls).toBe(620);
    expect(opened.filter(({ warning }) => !warning)).toMatchObject([
      { rule: 'outage.errors', service: 'search' },
    ]);
  });

  it('draws what opened as SVG and as PNG, and nothing when nothing opened', async () => {
    const file = written('drawn.jsonl', [...goodDay, ...badEnd]);
    const svg = join(folder, 'chart.svg');
    const png = join(folder, 'chart.png');
    expect((await backtest(['--chart', svg, file])).code).toBe(0);
    expect((await backtest(['--chart', png, file])).code).toBe(0);
    const drawn = readFileSync(svg, 'utf8');
    expect(drawn).toMatch(/^<svg/);
    expect(drawn).toContain('Quality score of support');
    expect(drawn).toContain('opens sev1');
    expect(readFileSync(png).subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
    const none = join(folder, 'none.svg');
    const { stderr } = await backtest(['--chart', none, written('nothing.jsonl', goodDay)]);
    expect(stderr).toContain('not written, because nothing would have opened');
    expect(existsSync(none)).toBe(false);
  });

  it('refuses what it cannot run with exit code 1 and the reason', async () => {
    for (const [args, says] of [
      [[], 'name at least one file of recorded calls'],
      [[join(folder, 'nowhere.jsonl')], 'nowhere.jsonl: there is no such file'],
      [['--nonsense'], '--nonsense'],
      [['--service', 'support', '--from', 'noon', '--to', 'later'], '--from: must be a time such as'],
    ] as const) {
      const { code, stderr } = await backtest([...args]);
      expect(code).toBe(1);
      expect(stderr).toContain(says);
    }
  });
});

describe('a record, and the same calls sent to the live bot one minute after the other', {
  timeout: 120_000,
}, () => {
  const service = 'recorded-too';
  const MINUTES = 20;
  const PER_MINUTE = 40;
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
    });
  });
  afterAll(() => world.close());

  /** Advances to the next whole minute, because a record is judged at whole minutes. */
  const nextMinute = async () => {
    const now = (await world.now()).getTime();
    return world.advance(MINUTE_MS - (now % MINUTE_MS));
  };
  const judged = (calls: EmittedCall[], formatShare: number) =>
    calls.map((call, i): EmittedCall => {
      const format = { name: 'format', score: scored(formatShare)(i).score };
      return { ...call, ...textsOf(i), evaluations: [...(call.evaluations ?? []), format] };
    });
  const recorded = (call: EmittedCall): Line => {
    const scoreNamed = (name: string) => call.evaluations?.find((one) => one.name === name)?.score;
    return {
      time: call.endedAt.toISOString(),
      service: call.service,
      request_model: call.requestModel,
      response_model: call.responseModel,
      prompt_name: call.promptName,
      prompt_version: call.promptVersion,
      input: call.input,
      output: call.output,
      latency_ms: call.endedAt.getTime() - call.startedAt.getTime(),
      score: scoreNamed('quality'),
      format_ok: scoreNamed('format') === 1,
    };
  };
  /** Rules of the service that fire now, as `/metrics` says. */
  const firing = async () => {
    const answer = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const signals = (await answer.text())
      .split('\n')
      .filter((line) => line.startsWith('llm_incident_signal{') && line.includes(`service="${service}"`))
      .filter((line) => line.includes('state="firing"') && /rule="quality\.(score|format)"/.test(line));
    return signals.map((line) => /rule="([^"]+)",warning="([^"]+)"/.exec(line)?.slice(1).join(' ')).sort();
  };

  it('open the same rules, at the same minute, with the same numbers', async () => {
    const sent: EmittedCall[] = [];
    const send = async (calls: EmittedCall[]) => {
      sent.push(...calls);
      await sendCalls({ url: world.url, token: TOKEN }, calls);
      await world.advance(0);
    };
    const start = await nextMinute();
    const before = { service, n: 1_200, good: 960, minutesAgo: { from: 900, to: 1 } };
    await send(judged(callsWith(start, before), 0.99));
    const openedLive = new Map<string, number>();
    for (let minute = 0; minute < MINUTES; minute += 1) {
      const now = await nextMinute();
      const whole = new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS);
      const of = { service, n: PER_MINUTE, good: 16, minutesAgo: { from: 0.9, to: 0.1 } };
      await send(judged(callsWith(whole, of), 0.7));
      for (const rule of await firing()) {
        if (!openedLive.has(String(rule))) openedLive.set(String(rule), whole.getTime());
      }
    }
    const { opened, calls } = await asJson([written('sent.jsonl', sent.map(recorded))]);
    expect(calls).toBe(sent.length);
    const openedThere = opened
      .filter(({ rule }) => rule === 'quality.score' || rule === 'quality.format')
      .map(({ rule, warning, at }) => [`${rule} ${warning}`, Date.parse(at)] as const);
    expect([...openedLive.keys()].sort()).toEqual(
      expect.arrayContaining(['quality.format false', 'quality.score false']),
    );
    expect([...openedLive].sort()).toEqual([...openedThere].sort());
    const [id = 0] = await openedAbout(world, service);
    const [first] = opened.filter(({ warning }) => !warning) as [Opened];
    const card = { room: await roomOfIncident(world, id), key: `card:${id}` };
    const name = first.rule === 'quality.score' ? 'Quality score' : 'Format compliance';
    const shown =
      first.rule === 'quality.score' ? first.value.toFixed(2) : `${(first.value * 100).toFixed(1)} %`;
    expect(await textWith(world, card, name)).toContain(`${name} ${shown}`);
  });
});
