import { expect } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
import { TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { obedientService } from '../harness/obedient.ts';
import { textsOf } from '../harness/people.ts';
import { accountOf, tellStory } from '../harness/story.ts';
import { writeUp } from '../harness/story-end.ts';
import { sendBaseline } from '../harness/traffic.ts';

const AGENT = 'research-agent';
/** A minute's calls while the script runs, three of four of them its own. */
const RUSH = 80;

let agent: SimulatedService;
let isLooping = false;

/** A nightly script that takes every answer for a new question. */
const looping = (call: EmittedCall, index: number): EmittedCall =>
  isLooping && index % 4 !== 0
    ? { ...call, user: 'user-007', session: 'nightly-export', costUsd: 0.02 }
    : call;

function begin(): Promise<World> {
  return startConfigured(
    async (config, world) => {
      const serving = { prompts: { answer: 'v13' }, model: 'gpt-4' };
      const { service, entry } = await obedientService(world, { name: AGENT, serving });
      agent = service;
      config.services = {
        [AGENT]: {
          ...entry,
          standing_approvals: ['throttle-offender'],
          pagerduty: { service: 'PSVC1', escalation_policy: 'PPOL1' },
        },
      };
    },
    accountOf('oncall', ['approver', 'lead']),
  );
}

tellStory(
  'A script of one user asks without end',
  {
    from: '22:00',
    world: begin,
    perMinute: () => (isLooping ? RUSH : 20),
    traffic: (_, span) => agent.emit({ ...span, alter: looping }),
    end: () => agent.close(),
  },
  ({ at, world, room, shows, presses, clicks, types, file, phone, rings }) => {
    at('22:00', 'an ordinary day lies behind it', () => sendBaseline(world(), 400, agent));

    at('22:02', 'a script of one user begins to ask without end', async () => {
      isLooping = true;
    });

    at(
      '22:07',
      'one user takes most of the tokens: the phone rings, once, and somebody is on it',
      async () => {
        const card = await shows('card', 'One user or endpoint takes most of the tokens');
        expect(card).toMatch(/^SEV1 cost · research-agent · PROD/);
        expect(card).toMatch(
          /Share of one user or endpoint \d\d\.\d % .*: user user-007, at \d+\.\d × its own baseline/,
        );
        await rings('oncall', 'Call: INC-1 SEV1 cost · research-agent: One user or endpoint takes most');
        expect(await presses('oncall', 'acknowledge', 'card')).toBe('You have INC-1.');
      },
    );

    at(
      '22:14',
      'the bill passes its limit: that user is limited by itself, as the team approved, and nobody is asked',
      async () => {
        await shows('proposal', /Applied/);
        const proposal = await shows(
          'proposal',
          'limit user user-007 to 1 request a minute (no limit before)',
        );
        expect(proposal).toContain('Why: cost.spend names user user-007.');
        expect(proposal).toMatch(/user user-007 alone: \d+ of \d+ calls of research-agent in the last hour/);
        const card = await shows('card', 'Contained: 22:');
        expect(card).toMatch(/Also firing:? Spend \$\d\d\.\d\d\/hour/);
        const texts = await textsOf(world(), (await room()).id, 'notice');
        expect(texts.find((text) => text.startsWith('Runs now'))).toContain(
          'by itself under the standing approval `throttle-offender`. `/llm-incident mitigate undo 1` takes it back.',
        );
        expect(await limitsOf(world(), 'user-007')).toEqual({ user: 1 });
        expect(await limitsOf(world(), 'user-008')).toEqual({});
        expect(await phone('approver')).toEqual([]);
      },
    );

    at('22:16', 'the tree tells a loop from an attack, and that all is done already', async () => {
      expect(await shows('tree', 'give the model other orders')).toContain('It looks like a runaway loop');
      await clicks('oncall', 'tree_answer:no', 'tree');
      expect(await shows('tree', 'repeat the same calls')).toMatch(
        /one thread is \d\d\d calls deep; the deepest before had \d+; user user-007 takes \d\d % of the tokens/,
      );
      await clicks('oncall', 'tree_answer:yes', 'tree');
      expect(await shows('tree', 'Where this leads')).toContain(
        'user user-007 is limited to 1 a minute already',
      );
    });

    at('22:22', 'live traffic proves it: one answer a minute, and the share is down', async () => {
      const receipt = await shows('receipt', /^PROVEN by live traffic/);
      expect(receipt).toMatch(/user user-007 got [01]\.\d answers a minute over five minutes, 1 allowed/);
      expect(receipt).toMatch(/Share of one user or endpoint \d\d\.\d % → \d\.\d %/);
      await shows('card', 'Mitigated: 22:');
    });

    at('22:24', 'the owner of the script has stopped it; the limit is lifted by a vote', async () => {
      isLooping = false;
      expect(await types('oncall', 'mitigate undo 1')).toContain('lift the limit of user user-007');
      await rings('approver', 'proposal 2 waits for approval');
      expect(await presses('approver', 'approve', 'proposal')).toContain('It runs now');
      await shows('proposal', /Proposal 2[\s\S]*Applied/);
      expect(await limitsOf(world(), 'user-007')).toEqual({});
    });

    at('22:30', 'it is over', async () => {
      await clicks('oncall', 'resolve', 'card');
      await shows('card', 'Resolved: 22:30 UTC');
      expect(await file('postmortem.md', 'user-007')).toContain(
        'It runs by itself under the standing approval',
      );
    });

    at('22:31', 'its owner writes it up and closes it; nothing is left on', async () => {
      await writeUp({ world, types }, 'lead', {
        started: 'At 22:02, with the nightly export.',
        caught: 'The script asks without end only on the last day of a month.',
        diagnose: 'Nothing; the user was named.',
        prevents: 'Each user gets a limit.',
        action: 'Give each user a limit',
      });
      expect(await types('lead', 'close')).toContain('INC-1 is closed');
      expect(await phone('oncall')).toHaveLength(2);
      expect(await phone('approver')).toHaveLength(1);
    });
  },
);

/** What an application is told about that user. */
async function limitsOf(world: World, user: string): Promise<unknown> {
  const answer = await fetch(`${world.url}/ofrep/v1/evaluate/flags/${AGENT}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ context: { targetingKey: user, user } }),
  });
  return ((await answer.json()) as { value: { limits: object } }).value.limits;
}
