import { expect } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask } from '../harness/people.ts';
import { accountOf, tellStory } from '../harness/story.ts';
import { writeUp } from '../harness/story-end.ts';
import { sendBaseline } from '../harness/traffic.ts';

const ADDRESS = 'ada.lovelace@mail.example';
const PEOPLE = ['approver', 'lead', 'legal', 'compliance', 'comms', 'product'];
let isLeaking = false;

const leaking = (call: EmittedCall, index: number): EmittedCall =>
  isLeaking && index % 10 === 0 ? { ...call, output: `${call.output}\nLast asked by ${ADDRESS}.` } : call;

function begin(): Promise<World> {
  return startConfigured(
    (config, { slack }) => {
      const ids = (...names: string[]) => names.map((name) => slack.userId(name));
      Object.assign(config.services[SERVICE] ?? {}, { standing_approvals: ['disable'] });
      Object.assign(config.contacts, { compliance: ids('compliance'), comms: ids('comms') });
    },
    accountOf('oncall', PEOPLE),
  );
}

tellStory(
  'An answer names a stranger',
  {
    from: '11:00',
    world: begin,
    perMinute: () => 20,
    traffic: ({ service }, span) => service.emit({ ...span, alter: leaking }),
  },
  ({ at, world, room, shows, presses, clicks, types, file, phone, rings, answers, opens }) => {
    at('11:00', 'an ordinary day lies behind it', () => sendBaseline(world()));

    at('11:05', 'answers begin to name somebody else', async () => {
      isLeaking = true;
    });

    at('11:07', 'two answers are enough: a private room, and every phone that must know', async () => {
      expect(await room()).toMatchObject({ name: expect.stringMatching(/^inc-\d{8}-1$/), isPrivate: true });
      const card = await shows('card', 'Outputs with personal data 2 calls: email');
      expect(card).toMatch(/^SEV1 safety · support-answers · PROD/);
      expect(card).toMatch(
        /Stakeholders: legal due 11:3\d UTC · compliance due 11:3\d UTC · comms due 11:3\d UTC/,
      );
      expect(card).toContain("[ Disable ]  [ I'm on it ]  [ False alarm ]");
      expect(card).toContain('private: its names, samples and links stay in this room');
      await rings('oncall', /Call: INC-1 \(private\): open the room$/);
      for (const who of ['legal', 'compliance', 'comms'])
        expect(await rings(who, `INC-1 (private) needs you for ${who}.`)).not.toMatch(
          /support|personal|sev1/i,
        );
      expect(await phone('product')).toEqual([]);
      expect(await ask(world(), 'product', 'list')).toBe('No open incidents.');
    });

    at(
      '11:08',
      'on-call switches it off with one press, as the team approved in advance; nobody is asked again',
      async () => {
        expect(await presses('oncall', 'acknowledge', 'card')).toBe('You have INC-1.');
        expect(await presses('oncall', 'contain', 'card')).toBe(
          'Approved under the standing approval `disable`. It runs now; the receipt follows in this room.',
        );
        expect(await shows('card', 'Contained: 11:08 UTC')).toContain('[ Resolve ]');
        expect(world().service.state().enabled).toBe(false);
        expect(await phone('approver')).toEqual([]);
        expect(await phone('oncall')).toHaveLength(2);
      },
    );

    at('11:10', 'legal and compliance acknowledge with the button in their message', async () => {
      for (const who of ['legal', 'compliance'])
        expect(await answers(who, 'stakeholder_ack')).toBe(`You acknowledged INC-1 for ${who}.`);
    });

    at(
      '11:18',
      'comms has not: after ten minutes that phone rings; and no call has come through for five',
      async () => {
        await rings('comms', 'Call: INC-1 (private)');
        expect(await answers('comms', 'stakeholder_ack')).toBe('You acknowledged INC-1 for comms.');
        await shows(
          'card',
          /Stakeholders: legal @legal 11:10 UTC · compliance @compliance 11:10 UTC · comms @comms 11:18/,
        );
        expect(await phone('product')).toEqual([]);
        expect(await shows('receipt', /^PROVEN by live traffic/)).toContain('No call reached the feature');
      },
    );

    at(
      '11:20',
      'legal sees who received it and what it was, redacted, in forms and nowhere else',
      async () => {
        expect(await opens('legal', { command: 'exposure' }, 'users received')).toMatch(
          /\d users received \d bad outputs of support-answers \(caught by safety\.pii\)[\s\S]*• user-\d+: 1, last 11:0\d UTC/,
        );
        const samples = await opens('legal', { button: 'samples' }, 'Example 1');
        expect(samples).toContain('Last asked by [email].');
        expect(samples).not.toContain(ADDRESS);
      },
    );

    at('11:22', 'nothing is set back on: there is no root cause and nobody has signed', async () => {
      expect(await types('oncall', 'mitigate enable')).toContain(
        'Missing: a root cause: `/llm-incident root-cause TEXT`; the sign-off of the service’s owner (@lead) and of legal (@legal)',
      );
      expect(world().service.effects.map(({ action }) => action)).toEqual(['disable']);
    });

    at('11:35', 'the cause is found and mended, and two people sign for it', async () => {
      isLeaking = false;
      await types('oncall', 'root-cause the retriever read a table of customers');
      expect(await types('oncall', 'sign-off')).toBe(
        'You may not sign this off. Who may: @lead, @legal. Nothing was changed.',
      );
      expect(await types('lead', 'sign-off')).toContain('Missing: the sign-off of legal (@legal)');
      expect(await types('legal', 'sign-off the table is gone')).toContain(
        'a plan that sets things back on may be',
      );
    });

    at('11:36', 'two who did not propose it set it back on', async () => {
      expect(await types('oncall', 'mitigate enable')).toContain('Two others who may must approve it');
      await rings('approver', 'proposal 2 waits for approval');
      expect(await presses('approver', 'approve', 'proposal')).toContain('1 of 2');
      expect(await presses('lead', 'approve', 'proposal')).toContain('It runs now');
      await shows('proposal', /Proposal 2[\s\S]*Applied/);
      expect(world().service.state().enabled).toBe(true);
    });

    at('11:45', 'live traffic comes again, without anybody’s address', async () => {
      expect(await shows('receipt', /^PROVEN by live traffic\nMitigation 2/)).toMatch(
        /Outputs with personal data 2 calls → 0 calls/,
      );
    });

    at('11:50', 'it is over, and its document names nobody’s data', async () => {
      await clicks('oncall', 'resolve', 'card');
      await shows('card', 'Resolved: 11:50 UTC');
      const markdown = await file('postmortem.md', 'the retriever read a table of customers');
      expect(markdown).toContain('Signed off by @legal');
      expect(markdown).not.toContain(ADDRESS);
    });

    at('14:00', 'its owner writes it up and closes it', async () => {
      await writeUp({ world, types }, 'lead', {
        started: 'With the index of 11:05.',
        caught: 'Nothing checked outputs before delivery.',
        diagnose: 'The table looked like any other document.',
        prevents: 'Every output is checked before delivery.',
        action: 'Ask `/v1/check` before delivery',
      });
      // What leaked is taken out of what is kept, so no case could fail on it; the check before delivery takes its place.
      expect(await types('lead', 'eval none the check before delivery holds it back')).toContain('Kept');
      expect(await types('lead', 'close')).toContain('INC-1 is closed');
    });

    at('14:01', 'no public channel, page or other phone says a word of it', async () => {
      const { slack, pagerduty } = world();
      for (const { id, is_private, is_im, name } of await slack.channels()) {
        if (is_private || is_im) continue;
        expect(JSON.stringify([name, await slack.messages(id)])).not.toMatch(/INC-1|safety|customers/);
      }
      const pages = JSON.stringify(pagerduty.calls.map(({ body }) => body));
      expect(pages).not.toMatch(/safety|personal|customers|support-answers/i);
      expect(JSON.stringify(await slack.messages((await room()).id))).not.toContain(ADDRESS);
    });
  },
);
