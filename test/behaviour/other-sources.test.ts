import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { administer } from '../harness/database.ts';
import { sendGoodDay, sendVerdicts } from '../harness/exact-calls.ts';
import { sendMade } from '../harness/made-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, textWith } from '../harness/people.ts';
import {
  counter,
  hasPrometheus,
  type Series,
  type StartedServer,
  startPrometheus,
} from '../harness/prometheus.ts';

const MINUTE_MS = 60_000;
const STEP_MS = 15_000;
const CALLS = 'gen_ai_client_operation_duration_seconds_count';
/** Metrics reach so far before and after the start, so that the clock may move among them. */
const BEFORE_MS = 30 * MINUTE_MS;
const AFTER_MS = 10 * MINUTE_MS;

/** Per minute so many calls that went well and so many that failed, as OpenTelemetry counts them. */
function traffic(service: string, { well, failed }: { well: number; failed: number }): Series[] {
  const grows = (perMinute: number) => ({
    from: new Date(Date.now() - BEFORE_MS),
    to: new Date(Date.now() + AFTER_MS),
    stepMs: STEP_MS,
    perStep: (perMinute * STEP_MS) / MINUTE_MS,
  });
  return [
    counter(CALLS, { service_name: service }, grows(well)),
    counter(CALLS, { service_name: service, error_type: 'timeout' }, grows(failed)),
  ];
}

const poll = async (world: World, times: number) => {
  for (let polls = 0; polls < times; polls += 1) await world.advance(15_000);
};
const cardAbout = async (world: World, service: string, wanted: string) => {
  const opened = await openedAbout(world, service);
  expect(opened, `incidents about ${service}`).toHaveLength(1);
  const id = opened[0] as number;
  return textWith(world, { room: await roomOfIncident(world, id), key: `card:${id}` }, wanted);
};

const onPrometheus = 'a service whose numbers are in Prometheus';
if (!hasPrometheus) console.log(`not run where there is no prometheus and no promtool: ${onPrometheus}`);
else
  describe(onPrometheus, () => {
    let world: World;
    let prometheus: StartedServer;
    let ops = '';
    beforeAll(async () => {
      prometheus = await startPrometheus({
        series: [
          ...traffic('failing', { well: 90, failed: 10 }),
          ...traffic('sound', { well: 98, failed: 2 }),
          ...traffic('renamed-there', { well: 80, failed: 20 }),
          ...traffic('scored-elsewhere', { well: 100, failed: 0 }),
        ],
      });
      world = await startConfigured(async (config, started) => {
        ops = (await started.slack.channel('general')).id;
        await started.slack.as('lead').inviteBot(ops);
        config['poll_seconds'] = 300;
        config['sources'] = { metrics: { type: 'prometheus', url: prometheus.url, delay_seconds: 0 } };
        config['ops_channel'] = ops;
        const services = config.services as Record<string, object>;
        const source = 'metrics';
        for (const name of ['failing', 'sound', 'scored-elsewhere']) services[name] = { source };
        services['unknown-there'] = { source };
        services['picked'] = { source, selector: 'service_name="renamed-there"' };
        const own = `sum(increase(${CALLS}{service_name="sound"}[$window])) * 0 + 0.3 ;; vector(1000)`;
        services['asked-otherwise'] = { source, queries: { 'outage.errors': own } };
      });
    });
    afterAll(async () => {
      await world.close();
      await prometheus.stop();
    });

    it('opens an outage with the numbers of the metrics when more than 5 % of the calls fail', async () => {
      await poll(world, 3);
      const card = await cardAbout(world, 'failing', 'Error rate');
      expect(card).toMatch(/SEV1 outage · failing · PROD/);
      expect(card).toMatch(/Error rate 10\.0 % \(5\.0 % allowed, n = \d+, at least \d\.\d % at 95 %\)/);
      const n = Number(/n = (\d+)/.exec(card)?.[1]);
      expect(n).toBeGreaterThan(450);
      expect(n).toBeLessThan(550);
      expect(await openedAbout(world, 'sound')).toEqual([]);
    });

    it('picks the service by its selector', async () => {
      expect(await cardAbout(world, 'picked', 'Error rate')).toContain('Error rate 20.0 %');
    });

    it('asks what the team wrote for the rule', async () => {
      expect(await cardAbout(world, 'asked-otherwise', 'Error rate')).toContain(
        'Error rate 30.0 % (5.0 % allowed, n = 1000',
      );
    });

    it('says once for all rules that it knows no metric of a service, unless the team wrote queries', async () => {
      const told = await world.slack.waitFor('the ops channel', async () => {
        const texts = (await world.slack.messages(ops)).map(({ text }) => text ?? '');
        const about = texts.filter((text) => text.includes('no metric of a known profile'));
        return about.length > 0 ? about : undefined;
      });
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(
        /^rules .*outage\.errors.* of unknown-there are blind: no metric of a known profile/,
      );
    });

    it('does not ask the calls about what the metrics know, and asks them about what they do not', async () => {
      const service = 'scored-elsewhere';
      await sendMade(world, { service, n: 100, each: () => ({ error: 'timeout' }) });
      await poll(world, 3);
      expect(await openedAbout(world, service)).toEqual([]);
      await sendGoodDay(world, { service });
      await sendVerdicts(world, { service, n: 100, good: 40 });
      await poll(world, 1);
      const card = await cardAbout(world, service, 'Quality score');
      expect(card).toContain('SEV1 quality · scored-elsewhere · PROD');
      expect(card).toContain('Quality score 0.40 against 0.80');
    });

    it('goes blind about what the metrics know when Prometheus goes away, says so, and opens nothing by it', async () => {
      const before = await ask(world, 'oncall', 'list');
      await prometheus.stop();
      await poll(world, 3);
      expect(await ask(world, 'oncall', 'status')).toMatch(/blind since .*source metrics/);
      expect(await ask(world, 'oncall', 'list')).toBe(before);
    });
  });

const onSql = 'a service whose numbers are in a table';
const serverUrl = inject('testDatabaseUrl');
if (serverUrl === '') console.log(`not run without TEST_DATABASE_URL: ${onSql}`);
else
  describe(onSql, () => {
    let world: World;
    let table: pg.Client;
    const database = `answers_${process.pid}`;
    const QUERY = `select avg(score) as value, count(*) as n, stddev_samp(score) as sd
      from answer where feature = :service and at >= :from and at < :to`;
    beforeAll(async () => {
      await administer(serverUrl, `create database ${database}`);
      const url = Object.assign(new URL(serverUrl), { pathname: `/${database}` }).toString();
      table = new pg.Client({ connectionString: url });
      await table.connect();
      await table.query('create table answer (feature text, at timestamptz, score float8)');
      world = await startConfigured((config, started) => {
        started.env['WAREHOUSE_URL'] = url;
        config['poll_seconds'] = 300;
        config['sources'] = { warehouse: { type: 'sql', url: '${WAREHOUSE_URL}' } };
        const services = config.services as Record<string, object>;
        const queries = { 'quality.score': QUERY };
        services['scored-there'] = { source: 'warehouse', queries };
        services['selected'] = { source: 'warehouse', selector: 'named-otherwise', queries };
        services['mistaken'] = {
          source: 'warehouse',
          queries: { 'quality.score': QUERY.replace('answer', 'no_such_table') },
        };
      });
    });
    afterAll(async () => {
      await world.close();
      await table.end();
      await administer(serverUrl, `drop database ${database} with (force)`);
    });

    /** So many scores of 1 and 0 between so many minutes ago, evenly mixed. */
    const score = async (feature: string, of: { n: number; good: number; minutesAgo: [number, number] }) => {
      const now = (await world.now()).getTime();
      const [from, to] = of.minutesAgo;
      await table.query(
        `insert into answer select $1, to_timestamp($2::float8 + ($3::float8 * i) / $4::int),
           ((i + 1) * $5::int) / $4 - (i * $5) / $4 from generate_series(0, $4 - 1) as i`,
        [feature, now / 1000 - from * 60, (from - to) * 60, of.n, of.good],
      );
    };

    it('opens a quality incident with the numbers of its rows', async () => {
      for (const feature of ['scored-there', 'named-otherwise']) {
        await score(feature, { n: 400, good: 320, minutesAgo: [600, 40] });
        await score(feature, { n: 120, good: 48, minutesAgo: [15, 0] });
      }
      // A baseline is asked for once in ten minutes.
      await world.advance(10 * MINUTE_MS);
      for (const service of ['scored-there', 'selected']) {
        const card = await cardAbout(world, service, 'Quality score');
        expect(card).toContain(`SEV1 quality · ${service} · PROD`);
        expect(card).toContain('Quality score 0.40 against 0.80 (−50 %, n = 120');
      }
    });

    it('names the query that is wrong, and goes on with the others', async () => {
      expect(await ask(world, 'oncall', 'status')).toMatch(
        /quality\.score of mistaken is blind: queries\["quality\.score"\]: .*no_such_table/,
      );
    });

    it('asks the calls about what it has no query for', async () => {
      await sendMade(world, {
        service: 'mistaken',
        n: 100,
        each: (i) => (i % 3 === 0 ? { error: 'timeout' } : {}),
      });
      await poll(world, 3);
      expect(await cardAbout(world, 'mistaken', 'Error rate')).toContain('Error rate 34.0 %');
    });
  });
