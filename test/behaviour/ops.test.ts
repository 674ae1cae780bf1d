import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../src/demo/story/story-bot.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident } from '../harness/people.ts';
import { runScript } from '../harness/process.ts';

/** A Postgres of our own may be shared; the embedded one may not. */
const isOnServer = inject('testDatabaseUrl') !== '';

describe('starting with a configuration that is wrong', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ start: false });
  });
  afterAll(() => world.close());

  const start = (env: Record<string, string>) => runScript('main.ts', [], env);

  it('lists every problem of environment and file at once, each with its path, and ends with 1', async () => {
    const path = join(world.env['DATA_DIR'] as string, 'wrong.yaml');
    writeFileSync(
      path,
      JSON.stringify({
        enviroment: 'production',
        poll_seconds: 0,
        services: {
          bot: {
            owner: 'jane',
            approvers: ['@team'],
            target: { type: 'webhook', url: 'ftp://x', secret: '${NOT_SET_ANYWHERE}' },
          },
        },
        contacts: { legal: 'U1' },
      }),
    );
    const { code, stderr } = await start({
      SLACK_BOT_TOKEN: 'xoxp-wrong',
      PAGERDUTY_API_TOKEN: 'pd-secret-value',
      PORT: '70000',
      DATABASE_URL: 'mysql://x',
      LLM_INCIDENT_CONFIG: path,
    });
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toBe('llm-incident cannot start:');
    for (const problem of [
      'SLACK_BOT_TOKEN: must be a bot token (xoxb-…)',
      'PORT: ',
      'DATABASE_URL: must be postgres://…',
      `${path}: services.bot.target.secret: environment variable NOT_SET_ANYWHERE is not set`,
      `${path}: poll_seconds: `,
      `${path}: services.bot.owner: must be a Slack user id such as U012ABC`,
      `${path}: services.bot.approvers.0: must be a Slack user id (U…) or user group id (S…), never a display name`,
      `${path}: services.bot.target.url: must be an http(s) address`,
      `${path}: contacts.legal: `,
      'enviroment',
    ]) {
      expect(stderr).toContain(problem);
    }
    expect(stderr).not.toContain('pd-secret-value');
  });

  it('lists what belongs together in the environment along with every other problem', async () => {
    const { code, stderr } = await start({
      PAGERDUTY_API_TOKEN: 'pd-secret-value',
      PORT: '70000',
      DATABASE_URL: 'postgres://db.example/x',
      LLM_INCIDENT_TEST_CLOCK: '1',
      LLM_INCIDENT_CONFIG: '/nowhere.yaml',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('SLACK_BOT_TOKEN: is not set');
    expect(stderr).toContain('PORT: ');
    expect(stderr).toContain('SLACK_SIGNING_SECRET: is needed for HTTP mode');
    expect(stderr).toContain('PAGERDUTY_FROM: is needed with PAGERDUTY_API_TOKEN');
    expect(stderr).toContain('LLM_INCIDENT_TEST_CLOCK: is refused because DATABASE_URL is not on loopback');
  });

  it('refuses the test clock when the database is not on loopback', async () => {
    for (const host of ['db.example', '10.0.0.1', '127.0.0.1.example']) {
      const { code, stderr } = await start({
        ...world.env,
        DATABASE_URL: `postgres://user:db-secret-value@${host}/x`,
      });
      expect(code).toBe(1);
      expect(stderr).toBe(
        'llm-incident cannot start:\n  - LLM_INCIDENT_TEST_CLOCK: is refused because DATABASE_URL is not on loopback\n',
      );
    }
  });

  it('lists at once what does not fit the rules, the sources and the formats, each with its path', async () => {
    const path = join(world.env['DATA_DIR'] as string, 'unfit.yaml');
    writeFileSync(
      path,
      JSON.stringify({
        sources: {
          metrics: { type: 'prometheus', url: 'http://127.0.0.1:9' },
          calls: { type: 'prometheus', url: 'http://127.0.0.1:9' },
        },
        rules: {
          'quality.scores': { enabled: false },
          'quality.format': { threshold: 0.95, clear_threshold: 0.9 },
          'outage.errors': { open_polls: 4, open_of_polls: 3 },
        },
        services: {
          bot: {
            source: 'metrix',
            queries: { 'outage.error': 'up' },
            rules: { 'outage.errors': { threshold: 0.05, clear_threshold: 0.2 }, 'cost.spent': {} },
            format: { json_schema: { type: 'nonsense' } },
          },
          other: { format: { pattern: '(unclosed' } },
          third: { format: {} },
          fourth: { safety: { policy_words: ['!!!'] }, check: { blocked: ['…'] } },
        },
      }),
    );
    const { code, stderr } = await start({ ...world.env, LLM_INCIDENT_CONFIG: path });
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toBe('llm-incident cannot start:');
    for (const problem of [
      'rules.quality.scores: is no rule; the nearest is quality.score',
      'rules.quality.format.clear_threshold: 0.9 is below the threshold 0.95',
      'rules.outage.errors.open_polls: 4 of 3 polls cannot be past the threshold',
      'services.bot.rules.outage.errors.clear_threshold: 0.2 is above the threshold 0.05',
      'services.bot.rules.cost.spent: is no rule; the nearest is cost.spend',
      'services.bot.queries.outage.error: is no rule; the nearest is outage.errors',
      'services.bot.source: there is no source "metrix"; there are metrics, calls',
      'sources.calls: this name is taken by a source that is always there; choose another',
      'services.bot.format.json_schema: ',
      'services.other.format.pattern: ',
      'services.third.format: needs json_schema or pattern',
      'services.fourth.safety.policy_words',
      'services.fourth.check.blocked',
    ]) {
      expect(stderr).toContain(`${path}: ${problem}`);
    }
  });

  it('lists them beside what is wrong with the environment', async () => {
    const path = join(world.env['DATA_DIR'] as string, 'unfit-too.yaml');
    writeFileSync(path, JSON.stringify({ services: { bot: { source: 'nowhere' } } }));
    const { code, stderr } = await start({ ...world.env, PORT: '70000', LLM_INCIDENT_CONFIG: path });
    expect(code).toBe(1);
    expect(stderr).toContain('PORT: ');
    expect(stderr).toContain(`${path}: services.bot.source: there is no source "nowhere"; there are none`);
  });

  it('says so when the file is no YAML', async () => {
    const path = join(world.env['DATA_DIR'] as string, 'broken.yaml');
    writeFileSync(path, 'services: [unclosed');
    const { code, stderr } = await start({ ...world.env, LLM_INCIDENT_CONFIG: path });
    expect(code).toBe(1);
    expect(stderr).toContain(`${path}: file: not valid YAML: `);
  });
});

describe('a bot that runs', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const audit = () => runScript('cli.ts', ['audit'], world.env);
  const changed = async (statement: string) => {
    const { db, close } = await world.database.open();
    await sql.raw(statement).execute(db);
    await close();
  };

  it('answers a clock that is moved by nonsense with 400', async () => {
    for (const body of [
      '',
      '{}',
      '{"advance_ms": -1}',
      '{"advance_ms": "1"}',
      '{"advance_ms": 1.5}',
      '{"advance_ms": 1e15}',
    ]) {
      const answer = await fetch(`${world.url}/test/clock`, { method: 'POST', body });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({
        error: 'advance_ms: must be a whole number from 0 to a year in milliseconds',
      });
    }
  });

  it('answers on two ports when INTERNAL_PORT is set: Slack’s route on one, the others on the other', async () => {
    const port = await freePort();
    world.env['INTERNAL_PORT'] = String(port);
    await world.restart();
    const internal = `http://127.0.0.1:${port}`;
    const statusOf = async (base: string, path: string, method = 'GET') =>
      (await fetch(`${base}${path}`, { method })).status;
    expect(await statusOf(internal, '/readyz')).toBe(200);
    expect(await statusOf(world.url, '/readyz')).toBe(404);
    expect(await statusOf(internal, '/v1/traces', 'POST')).toBe(401);
    expect(await statusOf(world.url, '/v1/traces', 'POST')).toBe(404);
    expect(await statusOf(world.url, '/slack/events', 'POST')).toBe(401);
    expect(await statusOf(internal, '/slack/events', 'POST')).toBe(404);
    delete world.env['INTERNAL_PORT'];
    await world.restart();
  });

  it('has no test clock unless it is asked for', async () => {
    world.env['LLM_INCIDENT_TEST_CLOCK'] = '0';
    await world.restart();
    const answer = await fetch(`${world.url}/test/clock`, { method: 'POST', body: '{"advance_ms": 1}' });
    expect(answer.status).toBe(404);
    world.env['LLM_INCIDENT_TEST_CLOCK'] = '1';
    await world.restart();
  });

  const offItsDatabase = 'keeps a second process off its embedded database, and says who holds it';
  if (isOnServer) console.log(`not run on TEST_DATABASE_URL, which many may share: ${offItsDatabase}`);
  else
    it(offItsDatabase, async () => {
      const { code, stderr } = await runScript('main.ts', [], { ...world.env, PORT: '0' });
      expect(code).toBe(1);
      const dir = world.env['DATA_DIR'];
      expect(stderr).toContain(
        `DATA_DIR: ${dir} is in use by process ${process.pid}. Stop it, or set DATABASE_URL.`,
      );
      expect((await fetch(`${world.url}/readyz`)).status).toBe(200);
    });

  it('leaves an audit chain that is intact', async () => {
    await declareIncident(world, `sev3 quality ${SERVICE} for the audit`);
    const { room } = await declareIncident(world, `sev3 cost ${SERVICE} for the audit too`);
    await ask(world, 'oncall', 'contain by hand', room);
    await ask(world, 'oncall', 'resolve done', room);
    await world.advance(0);
    await world.stopBot();
    const { code, stdout } = await audit();
    expect(stdout).toMatch(/^The audit chain is intact: 4 rows, head [0-9a-f]{64}\.$/m);
    expect(stdout).toMatch(/^The ledger is intact: \d+ rows, head [0-9a-f]{64}\.$/m);
    expect(code).toBe(0);
    const head = join(world.env['DATA_DIR'] as string, 'audit-head.json');
    expect(existsSync(head)).toBe(true);
    expect(stdout).toContain(JSON.parse(readFileSync(head, 'utf8')).digest);
  });

  it('shows an altered row, by its number', async () => {
    await changed(`update audit set actor = 'somebody else' where seq = 2`);
    const { code, stderr } = await audit();
    expect(stderr).toBe('The audit chain is broken at row 2: was altered after it was written.\n');
    expect(code).toBe(1);
    await changed(`update audit set actor = '${world.slack.userId('oncall')}' where seq = 2`);
    expect((await audit()).code).toBe(0);
  });

  it('shows rows that were cut off the end, also after the bot ran again', async () => {
    await changed('delete from audit where seq = 4');
    const broken = 'The audit chain is broken at row 4: ';
    expect(await audit()).toMatchObject({
      code: 1,
      stderr: `${broken}is cut off: the head kept outside is row 4, and the chain ends before it.\n`,
    });
    await world.restart();
    await declareIncident(world, `sev3 quality ${SERVICE} after the cut`);
    await world.advance(0);
    await world.stopBot();
    const stderr = `${broken}is not the head that was kept outside.\n`;
    expect(await audit()).toMatchObject({ code: 1, stderr });
  });
});
