import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { reportOf } from '../../src/flow/doctor/finding.ts';
import { examine } from '../../src/flow/doctor/run-doctor.ts';
import { misfits } from '../../src/flow/misfits.ts';
import { pagerOf, webhookSecrets } from '../../src/pagerduty/access.ts';
import { slackToExamine } from '../../src/slack/examine-slack.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { reconfigure, startConfigured } from '../harness/configured.ts';
import { runScript } from '../harness/process.ts';

describe('the doctor', { timeout: 120_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured(() => undefined, { env: { PAGERDUTY_WEBHOOK_SECRET: 'a-secret' } });
  });
  afterAll(() => world.close());

  /** The same in this process, where a command of its own would take seconds to load. */
  const reportWith = async (changes: Record<string, string>) =>
    reportOf(
      await examine({
        load: () => loadConfig({ ...world.env, ...changes }, misfits),
        slack: slackToExamine,
        pager: (config) => ({ pager: pagerOf(config), webhookSecrets: webhookSecrets(config).length }),
      }),
    );
  const problemsIn = (report: string) => report.split('\n').filter((line) => line.startsWith('PROBLEM'));

  it('finds nothing wrong beside a bot that is up, changes nothing and pages nobody', async () => {
    const { code, stdout, stderr } = await runScript('cli.ts', ['doctor'], world.env);
    expect(problemsIn(stdout), stdout + stderr).toEqual([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +configuration: 1 services$/m);
    expect(stdout).toMatch(/^ok +Slack: all \d+ scopes of the manifest are granted$/m);
    expect(stdout).toMatch(/^ok +people: Slack knows all \d+ that are named$/m);
    expect(stdout).toMatch(new RegExp(`^ok +PagerDuty for ${SERVICE}: on call now: On-call engineer$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^ok +target of ${SERVICE}: webhook .* serves .*enabled true`, 'm'));
    expect(stdout).toMatch(/^ok +database: /m);
    expect(stdout.trimEnd()).toMatch(/\nNothing is wrong\.$/);
    expect(world.pagerduty.incidents).toEqual([]);
    expect(world.service.effects).toEqual([]);
  });

  it('names every problem with its cure in one run', async () => {
    await reconfigure(world, (config) => {
      config['ops_channel'] = 'C0NOWHERE';
      config.services[SERVICE] = { ...config.services[SERVICE], owner: 'U0NOBODY' };
      config.services['unowned'] = { pagerduty: { service: 'PSVC1', escalation_policy: 'PEMPTY' } };
      config.contacts['engineering_lead'] = [];
    });
    const report = await reportWith({ PAGERDUTY_FROM: 'stranger@example.test', TARGET_SECRET: 'another' });
    const problems = problemsIn(report).join('\n');
    expect(problems).toMatch(/channel C0NOWHERE: .*channel_not_found.*Correct the id/);
    expect(problems).toMatch(/people: U0NOBODY: .*user_not_found.*Correct the id in the configuration/);
    expect(problems).toContain('service unowned: nobody may approve');
    expect(problems).toContain('PAGERDUTY_FROM is no user of this account');
    expect(problems).toContain('PagerDuty for unowned: nobody is on call by policy PEMPTY');
    expect(problems).toMatch(new RegExp(`target of ${SERVICE}: .*401.*Check its address`));
    expect(report).toMatch(/\n6 problems\.$/);
    expect(report).not.toContain('another');
  });

  it('says what is wrong with a token, and with a configuration that cannot be read', async () => {
    const refused = await reportWith({ SLACK_BOT_TOKEN: 'xoxb-not-a-token' });
    expect(refused).toMatch(/PROBLEM +Slack: auth\.test: invalid_auth\. Check SLACK_BOT_TOKEN/);
    expect(refused).not.toContain('people:');
    const { code, stdout } = await runScript('cli.ts', ['doctor'], {
      ...world.env,
      PAGERDUTY_API_URL: 'http://somewhere.example',
    });
    expect(code).toBe(1);
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^PROBLEM +configuration: PAGERDUTY_API_URL: http:\/\/ is for loopback only/),
      '1 problem.',
    ]);
  });
});
