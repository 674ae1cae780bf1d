import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, TOKEN, type World } from '../harness/bot.ts';
import { ask, proposeIn, roomWith, textWith } from '../harness/people.ts';
import { runScript } from '../harness/process.ts';

const SLOW_MS = 40_000;

interface Report {
  contained: boolean;
  incident: string;
  mitigation: number;
  status: string;
  planHash: string;
  said: string;
  byHand: string | null;
}

describe('containment from a terminal while Slack is away', { timeout: 120_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const contain = (args: string[], env: Record<string, string> = {}) => {
    const { SLACK_BOT_TOKEN: _token, SLACK_SIGNING_SECRET: _secret, ...rest } = world.env;
    return runScript('cli.ts', ['contain', ...args], { ...rest, ...env });
  };
  const contained = async (args: string[]) => {
    const { code, stdout, stderr } = await contain([...args, '--by', 'ann', '--json']);
    if (stdout === '') throw new Error(stderr);
    return { code, report: JSON.parse(stdout) as Report };
  };
  const idOf = ({ incident }: Report) => Number(incident.replace('INC-', ''));
  const auditSays = async () => (await runScript('cli.ts', ['audit'], world.env)).stdout;

  it('disables through the bot that is up, and the room, the receipt and the review follow', async () => {
    const slackCalls = world.slack.calls.length;
    world.slack.fault({ method: '*', kind: '500', times: 10_000 });
    const { code, report } = await contained([SERVICE, '--reason', 'Answers <b>insult</b> people']);
    expect([code, report.contained, report.status]).toEqual([0, true, 'applied']);
    expect(report.said).toBe('Read-back: disabled.');
    expect(world.service.state().enabled).toBe(false);
    expect(world.service.effects).toMatchObject([{ action: 'disable', planHash: report.planHash }]);
    expect(world.slack.calls.slice(slackCalls).filter(({ status }) => status === 200)).toEqual([]);
    world.slack.clearFaults();
    const id = idOf(report);
    const room = await roomWith(world, `card:${id}`, SLOW_MS);
    await textWith(world, { room, key: `receipt:${report.mitigation}` }, 'Read-back: disabled.', SLOW_MS);
    const proposal = { room, key: `proposal:${report.mitigation}` };
    expect(await textWith(world, proposal, 'Proposed by terminal:ann', SLOW_MS)).toContain(
      report.planHash.slice(0, 12),
    );
    expect(await ask(world, 'oncall', 'status', room)).toContain(' · contained · ');
    expect((await world.slack.messages(room)).map(({ text }) => text).join('\n')).not.toContain('<b>');
  });

  it('asked again says that it is so, joins the incident and sends nothing', async () => {
    const { code, report } = await contained([SERVICE, '--reason', 'to be sure']);
    expect([code, report.contained, report.status, idOf(report)]).toEqual([0, true, 'served-already', 1]);
    expect(world.service.effects).toHaveLength(1);
  });

  /** As the terminal asks a bot that is up, without the start of a process for each. */
  const asked = async (request: object, token?: string): Promise<{ status: number; report: Report }> => {
    const file = readFileSync(join(world.env['DATA_DIR'] as string, 'terminal.json'), 'utf8');
    const known = JSON.parse(file) as { url: string; token: string };
    const answer = await fetch(`${known.url}/v1/contain`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token ?? known.token}` },
      body: JSON.stringify({ service: SERVICE, wish: 'disable', reason: 'x', by: 'ann', ...request }),
    });
    return { status: answer.status, report: (await answer.json()) as Report };
  };

  it('takes away and never gives back, and says what is wrong with the rest', async () => {
    const cases: [object, RegExp][] = [
      [{ wish: 'fallback none' }, /gives something back to users/],
      [{ wish: 'enable' }, /gives something back to users/],
      [{ wish: 'limit user u-1 off' }, /gives something back to users/],
      [{ wish: 'model gpt-other' }, /serves them something else/],
      [{ wish: 'prompt answer=v99' }, /serves them something else/],
      [{ wish: 'split gpt-other 100' }, /serves them something else/],
      [{ wish: 'disclaimer .' }, /serves them something else/],
      [{ wish: 'undo 1' }, /"undo 1" is nothing that contains/],
      [{ wish: 'fallback sometimes' }, /fallback must be one of/],
      [{ service: 'toString' }, /There is no service toString. Configured: support-answers/],
      [{ wish: 'known-good' }, /no state that was green long enough/],
    ];
    for (const [request, wanted] of cases) {
      const { status, report } = await asked(request);
      expect([status, report.contained, report.status]).toEqual([200, false, 'not-run']);
      expect(report.said).toMatch(wanted);
    }
    expect((await asked({ reason: ' ' })).status).toBe(400);
    expect(world.service.effects).toHaveLength(1);
  });

  it('answers nobody but the terminal of its own machine', async () => {
    expect(statSync(join(world.env['DATA_DIR'] as string, 'terminal.json')).mode & 0o077).toBe(0);
    for (const token of [TOKEN, '', 'x'.repeat(64)]) expect((await asked({}, token)).status).toBe(401);
  });

  it('does it on the database when no bot is up, and the bot goes on with it later', async () => {
    const before = await roomWith(world, 'card:1', SLOW_MS);
    await proposeIn(world, before, { wanted: 'limit user u-1 2', by: 'oncall' });
    await world.stopBot();
    await expireAll(world);
    expect(existsSync(join(world.env['DATA_DIR'] as string, 'terminal.json'))).toBe(false);
    const { code, report } = await contained([SERVICE, '--limit', 'user u-1 2', '--reason', 'a loop']);
    expect([code, report.contained, report.said, idOf(report)]).toEqual([
      0,
      true,
      'Read-back: 2 requests a minute.',
      1,
    ]);
    expect(world.service.effects.at(-1)).toMatchObject({ action: 'limit', subject: 'user u-1', to: 2 });
    expect(await auditSays()).toContain('The audit chain is intact');
    await world.restart();
    const room = await roomWith(world, 'card:1', SLOW_MS);
    await textWith(world, { room, key: `receipt:${report.mitigation}` }, 'Read-back: 2 requests', SLOW_MS);
    for (const most of [100_000, 3])
      expect((await asked({ wish: `limit user u-1 ${most}` })).report.said).toMatch(/gives something back/);
    expect(world.service.effects).toHaveLength(2);
  });

  it('names the switch of the vendor, and ends with 1, when neither bot nor database is there', async () => {
    await world.stopBot();
    const away = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };
    const { code, stdout } = await contain([SERVICE, '--reason', 'x'], away);
    expect(code).toBe(1);
    expect(stdout).toContain(`${SERVICE} is NOT contained.`);
    expect(stdout).toContain(
      `By hand: the switch of the service itself, which answers at ${world.service.controlUrl}`,
    );
    expect(world.service.effects).toHaveLength(2);
  });

  it('goes to the safety incident of the service, and puts the reason into no title', async () => {
    await world.restart();
    const reason = 'it leaks the record of Jane Doe';
    const room = async (id: number) => {
      const found = await roomWith(world, `card:${id}`, SLOW_MS);
      return (await world.slack.channels()).find((one) => one.id === found);
    };
    // There is a public incident of the service.
    const { report } = await asked({ wish: 'fallback notice', reason, safety: true });
    const id = idOf(report);
    expect([report.contained, id === 1]).toEqual([true, false]);
    const opened = await room(id);
    expect([opened?.is_private, opened?.name]).toEqual([true, expect.not.stringMatching(/jane|record/i)]);
    const quality = await ask(world, 'oncall', `declare sev3 quality ${SERVICE} answers look odd`);
    expect(quality).toContain('Declared INC-');
    const next = await asked({ wish: 'cap 50', reason });
    expect(idOf(next.report)).toBe(id);
    const shown = world.pagerduty.incidents.map(({ title, body }) => JSON.stringify([title, body])).join();
    expect(shown).not.toContain('Jane');
    for (const { id: channel, is_private: isPrivate } of await world.slack.channels())
      if (!isPrivate) expect(JSON.stringify(await world.slack.messages(channel))).not.toContain('Jane');
    expect(await ask(world, 'product', 'list')).not.toContain('Jane');
    expect(await ask(world, 'lead', 'resolve end of the test', opened?.id)).toContain('is resolved');
  });

  it('is named in every page, with the switch of the vendor, but for private incidents', async () => {
    await world.restart();
    const before = world.pagerduty.incidents.length;
    const pageAbout = async (declared: string) => {
      const id = /INC-\d+/.exec(await ask(world, 'oncall', `declare ${declared}`))?.[0] ?? '';
      const found = () =>
        world.pagerduty.incidents.slice(before).find(({ title }) => title.startsWith(`${id} `));
      return (await world.slack.waitFor(`the page of ${id}`, found, SLOW_MS)).body?.details;
    };
    const details = await pageAbout(`sev1 outage ${SERVICE} all of it is down`);
    expect(details).toContain(`Without Slack: npm run contain -- ${SERVICE} --reason TEXT`);
    expect(details).toContain(
      `By hand: the switch of the service itself, which answers at ${world.service.controlUrl}`,
    );
    expect(await pageAbout(`safety ${SERVICE} a name leaked`)).not.toMatch(/contain|support-answers|By hand/);
  });
});

/** A proposal that expired while no bot was up, so that nothing has swept it. */
async function expireAll(world: World): Promise<void> {
  const { db, close } = await world.database.open();
  await db
    .updateTable('mitigation')
    .set({ expires_at: new Date(0) })
    .where('status', '=', 'proposed')
    .execute();
  await close();
}
