import { expect } from 'vitest';
import { type LoopbackServer, listenOnLoopback, sendJson } from '../../src/demo/loopback-server.ts';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { obedientService } from '../harness/obedient.ts';
import { textsOf } from '../harness/people.ts';
import { servedBy } from '../harness/shifting.ts';
import { accountOf, tellStory } from '../harness/story.ts';
import { writeUp } from '../harness/story-end.ts';
import { sendBaseline } from '../harness/traffic.ts';

const ASSISTANT = 'order-assistant';
const OPERATIONAL = { status: { indicator: 'none' }, components: [] };
const OUT = { status: { indicator: 'critical' }, components: [] };

let assistant: SimulatedService;
let statusPage: LoopbackServer;
let says: object = OPERATIONAL;
let isDown = false;

/** While the provider is down, the model behind its alias answers two of three calls with an error. */
const failing = (call: EmittedCall, index: number): EmittedCall => {
  if (!isDown || call.responseModel !== 'gpt-4-0314' || index % 3 === 0) return call;
  const { output: _said, evaluations: _judged, ...asked } = call;
  return { ...asked, outputTokens: 0, costUsd: 0, error: 'service_unavailable' };
};

async function begin(): Promise<World> {
  statusPage = await listenOnLoopback(async (_, response) => sendJson(response, { status: 200, body: says }));
  return startConfigured(
    async (config, world) => {
      const fallback = { mode: 'none', model: 'gpt-3.5-turbo-0125', notice: 'Back soon.' };
      const serving = { prompts: { answer: 'v13' }, model: 'gpt-4', fallback };
      const { service, entry } = await obedientService(world, { name: ASSISTANT, serving });
      assistant = service;
      config.services = {
        [ASSISTANT]: {
          ...entry,
          pagerduty: { service: 'PSVC1', escalation_policy: 'PPOL1' },
          ...{ provider_status: { url: `${statusPage.url}/summary.json`, poll_seconds: 60 } },
        },
      };
    },
    accountOf('oncall', ['approver', 'lead']),
  );
}

tellStory(
  'The provider of the model goes down',
  {
    from: '14:00',
    world: begin,
    perMinute: () => 20,
    traffic: (_, span) => assistant.emit({ ...span, alter: failing }),
    end: async () => {
      await assistant.close();
      await statusPage.close();
    },
  },
  ({ at, world, shows, presses, clicks, types, file, phone, rings, room }) => {
    at('14:00', 'a day of sound answers lies behind it', () => sendBaseline(world(), 600, assistant));

    at('14:05', 'two of three calls begin to fail', async () => {
      isDown = true;
    });

    at('14:09', 'a room is open, the phone rings at once, and somebody is on it', async () => {
      const card = await shows('card', 'SEV1 outage · order-assistant · PROD');
      expect(card).toMatch(/\nCalls fail\nError rate \d+\.\d % \(5\.0 % allowed, n = \d+, at least/);
      expect(card).not.toContain('% of requests');
      expect(card).not.toContain('Roll back');
      await rings('oncall', 'Call: INC-1 SEV1 outage · order-assistant: Calls fail');
      expect(await presses('oncall', 'acknowledge', 'card')).toBe('You have INC-1.');
      await shows('context', 'What changed: nothing that the ledger has seen.');
      says = OUT;
    });

    at(
      '14:12',
      'the tree asks for the codes, the API and the schema, and then the status page says it',
      async () => {
        await shows('card', /Also firing:? Provider status/);
        for (const [asks, finds, answer] of [
          ['Are most of them rate limits', '0.0 % of errors are rate limits', 'no'],
          ['Did the API change', /0 of \d+ errors read like a changed API/, 'no'],
          ['no longer fits its schema', '0.0 % of errors are about a schema', 'no'],
          ['status page report trouble', 'The status page reports trouble', 'yes'],
        ] as const) {
          expect(await shows('tree', asks)).toMatch(finds);
          await clicks('oncall', `tree_answer:${answer}`, 'tree');
        }
        const leaf = await shows('tree', 'Where this leads');
        expect(leaf).toContain('Switch to the backup model; in an outage at once.');
        expect(leaf).toContain('Prepared: fallback none → simple');
      },
    );

    at(
      '14:13',
      'simple answers, proposed with one press and approved by somebody else, contain it',
      async () => {
        expect(await presses('oncall', 'tree_plan', 'tree')).toContain(
          'Someone else who may must approve it',
        );
        await rings('approver', 'proposal 1 waits for approval');
        expect(await presses('approver', 'approve', 'proposal')).toContain('It runs now');
        const card = await shows('card', 'Contained: 14:13 UTC');
        expect(card).toContain('exposed ');
        expect(card).not.toContain('Roll back');
        expect(await servedBy(world(), ASSISTANT)).toMatchObject({ fallback: { mode: 'simple' } });
      },
    );

    at('14:17', 'live traffic shows that the fallback answers', async () => {
      expect(await shows('receipt', /^PROVEN by live traffic/)).toContain('none of ');
    });

    at(
      '14:20',
      'the provider needs hours: all traffic goes to another model at once, and the fallback off again',
      async () => {
        expect(await types('oncall', 'mitigate shift gpt-4-0314-eu')).toContain('all at once');
        expect(await shows('proposal', 'Proposal 2')).toContain('0 of 2, by 2 people who did not propose it');
        expect(await presses('approver', 'approve', 'proposal')).toContain('1 of 2');
        expect(await presses('lead', 'approve', 'proposal')).toContain('It runs now');
        await shows('receipt', 'gpt-4-0314-eu');
        expect(await types('oncall', 'mitigate undo 1')).toContain('fallback simple → none');
        await shows('proposal', 'Proposal 3');
        for (const who of ['approver', 'lead']) await presses(who, 'approve', 'proposal');
        await shows('receipt', 'Mitigation 3');
        expect(await servedBy(world(), ASSISTANT)).toMatchObject({
          model: 'gpt-4-0314-eu',
          fallback: { mode: 'none' },
        });
      },
    );

    at('14:26', 'live traffic proves both; errors are gone', async () => {
      expect(await shows('receipt', /^PROVEN by live traffic\nMitigation 3/)).toContain('Live calls come');
      const card = await shows('card', 'Mitigated: 14:2');
      expect(card).toContain('• shift the traffic to gpt-4-0314-eu: all at once: proven');
      expect(card).toContain('[ Resolve ]');
      await world().slack.waitFor('the receipt of the shift', async () =>
        (await textsOf(world(), (await room()).id, 'receipt')).find((text) =>
          /Error rate \d+\.\d % → 0\.0 %/.test(text),
        ),
      );
    });

    at('14:45', 'the provider is well again, and it is over', async () => {
      isDown = false;
      says = OPERATIONAL;
      await clicks('oncall', 'resolve', 'card');
      await shows('card', 'Resolved: 14:45 UTC');
      const markdown = await file('postmortem.md', 'service_unavailable');
      expect(markdown).toContain('approved by @approver and @lead');
      await world().slack.waitFor('PagerDuty to be resolved', () =>
        world().pagerduty.open().length === 0 ? true : undefined,
      );
    });

    at('16:00', 'its owner writes it up, keeps the other region for now, and closes it', async () => {
      await writeUp({ world, types }, 'lead', {
        caught: 'The provider told nobody.',
        diagnose: 'Its status page followed eight minutes later.',
        prevents: 'The other region is the fallback from now on.',
        action: 'Make the other region the fallback',
      });
      expect(await types('lead', 'lease 2 keep 48 until the provider has said why')).toContain(
        'Kept until 16:00 UTC: shift the traffic',
      );
      // No answer was wrong: there is nothing that a prompt or a model could be tried on.
      expect(await types('lead', 'close')).toContain('No eval case was recorded.');
      expect(await types('lead', 'eval none the provider was down, no answer was wrong')).toContain('Kept');
      expect(await types('lead', 'close')).toContain('INC-1 is closed');
    });

    at('16:01', 'in all, these were the pushes', async () => {
      expect(await phone('oncall')).toEqual([
        expect.stringContaining('INC-1 is open'),
        expect.stringContaining('Call: INC-1 SEV1 outage'),
      ]);
      for (const who of ['approver', 'lead'])
        expect(await phone(who)).toEqual(
          [1, 2, 3].map((n) => expect.stringContaining(`proposal ${n} waits`)),
        );
      for (const who of ['legal', 'comms', 'product']) expect(await phone(who)).toEqual([]);
    });
  },
);
