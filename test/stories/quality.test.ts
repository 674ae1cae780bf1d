import { expect } from 'vitest';
import { parse } from 'yaml';
import { SERVICE, TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask } from '../harness/people.ts';
import { accountOf, tellStory } from '../harness/story.ts';
import { writeUp } from '../harness/story-end.ts';
import { sendBaseline } from '../harness/traffic.ts';

const LEARNT = 'v14 dropped the step-by-step part. Nobody had scored it.';

function begin(): Promise<World> {
  return startConfigured(
    (config, { service, slack }) => {
      const endpoint = { type: 'webhook', url: service.dryRunUrl, secret: '${TARGET_SECRET}' };
      const rehearsal = { ...endpoint, allow_private: true, backup: { prompt: 'v12' } };
      Object.assign(config.services[SERVICE] ?? {}, { rehearsal });
      config.contacts['product'] = [slack.userId('product')];
    },
    accountOf('oncall', ['approver', 'lead', 'product']),
  );
}

tellStory(
  'A new prompt makes answers wrong while every dashboard is green',
  { from: '02:30', world: begin, perMinute: () => 20, traffic: ({ service }, span) => service.emit(span) },
  ({ at, world, room, shows, presses, clicks, types, file, phone, rings, answers }) => {
    at('02:30', 'a day of sound answers lies behind it, and nothing is open', async () => {
      await sendBaseline(world());
      expect(await ask(world(), 'oncall', 'list')).toBe('No open incidents.');
    });

    at('02:31', 'prompt v14 goes live, and CI says so; calls go on succeeding', async () => {
      world().service.promptRegression();
      const change = { kind: 'prompt', name: 'answer', from: 'v13', to: 'v14', by: 'release-train' };
      const told = await fetch(`${world().url}/v1/changes`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ service: SERVICE, ...change }),
      });
      expect(told.status).toBe(202);
    });

    at(
      '02:38',
      'the score rule has opened a room that knows what changed; one phone buzzes, none rings',
      async () => {
        const card = await shows('card', /Rehears|fixes \d+ of 20/);
        expect(card).toMatch(/^SEV1 quality · support-answers · PROD · exposed \d min\nAnswers got worse\n/);
        expect(card).toMatch(
          /Quality score 0\.\d\d against 0\.8\d \(−\d\d %, n = \d+, .*\); about \d\d % of requests/,
        );
        expect(card).toMatch(/Likely: prompt answer v13 → v14 \(release-train, 02:3\d UTC\)/);
        expect(card).toMatch(/Known-good: prompt answer v13 \(fixes \d+ of 20, breaks \d+ of 20\)/);
        expect(card).toContain('paged if it still fires in 10 minutes');
        expect(card).toContain(
          "[ Roll back to v13 ]  [ Disable ]  [ I'm on it ]  [ False alarm ]  [ more ▾ ]",
        );
        expect(await phone('oncall')).toEqual([
          "@oncall INC-1 is open. SEV1 quality · support-answers. The next step is on the card; I'm on it takes it.",
        ]);
        expect(await phone('approver')).toEqual([]);
        expect(world().pagerduty.incidents).toEqual([]);
      },
    );

    at(
      '02:39',
      'in the thread: the change, three answers that failed, and the branch of the tree',
      async () => {
        const context = await shows('context', 'Failing example 1');
        expect(context).toMatch(/• prompt answer: v13 → v14 · 02:3\d UTC · by release-train/);
        expect(context).toContain('Is ');
        expect(await shows('tree', 'Did the prompt change shortly before')).toMatch(
          /The evidence says: prompt answer v13 → v14 by release-train, as it began\n\[ Yes \] {2}\[ No \]/,
        );
      },
    );

    at('02:48', 'it still fires and nobody has come: phones ring, and somebody is on it', async () => {
      await rings('oncall', 'Call: INC-1 SEV1 quality · support-answers: Answers got worse');
      await rings('approver', 'INC-1 is not contained after 10 minutes. The fallback is one button away');
      expect(await presses('oncall', 'acknowledge', 'card')).toBe('You have INC-1.');
      expect(await shows('card', '@oncall is on it')).toContain('Commander: @oncall');
      await world().slack.waitFor('PagerDuty to stop ringing', () =>
        world().pagerduty.incidents.every(({ status }) => status === 'acknowledged') ? true : undefined,
      );
    });

    at(
      '02:49',
      'one yes leads to a plan, one more press proposes it, with what it fixes on the button',
      async () => {
        await clicks('oncall', 'tree_answer:yes', 'tree');
        expect(await shows('tree', 'Where this leads')).toContain('Prepared: prompt answer v14 → v13');
        expect(await presses('oncall', 'tree_plan', 'tree')).toContain('Proposed: prompt answer v14 → v13.');
        const proposal = await shows('proposal', /\[ Approve \(fixes \d+ of 20, breaks \d+ of 20\) \]/);
        expect(proposal).toMatch(/Rehearsed: v13 fixes (1[5-9]|20) of 20/);
        expect(proposal).toMatch(/What was served at the opening: fixes 0 of 20/);
        expect(proposal).toContain('May approve: @lead, @approver');
        expect(await rings('approver', 'proposal 1 waits for approval until 03:04 UTC')).not.toContain(
          'v13)',
        );
        expect(await presses('oncall', 'approve', 'proposal')).toContain('You may not decide this.');
        expect(world().service.effects).toEqual([]);
      },
    );

    at('02:51', 'somebody else approves: it runs once, and users are safe', async () => {
      expect(await presses('approver', 'approve', 'proposal')).toContain('It runs now');
      await shows('receipt', 'PROVING');
      expect(await shows('card', 'Contained: 02:51 UTC')).toContain('exposed 20 min');
      expect(world().service.effects.map(({ action, from, to }) => [action, from, to])).toEqual([
        ['prompt', 'v14', 'v13'],
      ]);
      expect(await shows('notice', 'INC-1 is contained after 1')).not.toContain('@');
    });

    at('03:02', 'live traffic proves it', async () => {
      const receipt = await shows('receipt', /^PROVEN by live traffic/);
      expect(receipt).toMatch(/Quality score 0\.\d\d → 0\.8\d, baseline 0\.8\d \(n = \d+, 90 % interval/);
      expect(await shows('card', 'Mitigated: ')).toContain('[ Resolve ]');
    });

    at('03:04', 'product has read it in time, and everybody is told', async () => {
      expect(await rings('product', 'Please acknowledge by')).toContain('INC-1 needs you for product.');
      expect(await answers('product', 'stakeholder_ack')).toBe('You acknowledged INC-1 for product.');
      expect(await types('oncall', 'update v13 is back and answers are right again')).toContain('03:34 UTC');
      await shows('card', 'Stakeholders: product @product 03:04 UTC');
      await shows('notice', 'Update: v13 is back and answers are right again. Next update at 03:34 UTC.');
    });

    at('03:06', 'it is over; the post-mortem has written itself and brings the cases', async () => {
      await world()
        .slack.as('lead')
        .say((await room()).id, LEARNT);
      await clicks('oncall', 'resolve', 'card');
      await shows('card', 'Resolved: 03:06 UTC');
      const markdown = await file('postmortem.md', LEARNT);
      expect(markdown).toContain('prompt answer v14 → v13');
      expect(markdown).toContain('Did the prompt change shortly before the answers went wrong?');
      const { tests } = parse(await file('evals.yaml', 'proven: true')) as {
        tests: { metadata: { proven: boolean } }[];
      };
      expect(tests.filter(({ metadata }) => metadata.proven).length).toBeGreaterThan(0);
      await world().slack.waitFor('PagerDuty to be resolved', () =>
        world().pagerduty.open().length === 0 ? true : undefined,
      );
    });

    at(
      '09:00',
      'in the morning its owner answers what the evidence cannot, keeps v13, and closes it',
      async () => {
        await writeUp({ world, types }, 'lead', {
          caught: 'Nobody scores a prompt before it goes live.',
          diagnose: 'Nothing; the change was on the card.',
          prevents: 'The eval cases of this incident run in CI.',
          action: 'Run the cases in CI',
        });
        expect(await types('lead', 'close')).toContain('this is still on');
        expect(await types('lead', 'lease 1 keep for-good v13 stays')).toContain('for good');
        expect(await types('lead', 'close')).toContain('INC-1 is closed');
      },
    );

    at('09:01', 'in all, these were the pushes', async () => {
      expect(await phone('oncall')).toEqual([
        expect.stringContaining('INC-1 is open'),
        expect.stringContaining('Call: INC-1 SEV1'),
      ]);
      expect(await phone('approver')).toEqual([
        expect.stringContaining('not contained after 10 minutes'),
        expect.stringContaining('waits for approval'),
        expect.stringContaining('Call: INC-1'),
      ]);
      for (const who of ['legal', 'compliance', 'comms']) expect(await phone(who)).toEqual([]);
    });
  },
);
