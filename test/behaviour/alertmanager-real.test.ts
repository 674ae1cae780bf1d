import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertmanagerBinary, startAlertmanager } from '../harness/alertmanager.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { textWith } from '../harness/people.ts';

const title = 'a real Alertmanager that pages and tells the bot';
const WAIT_MS = 30_000;

if (alertmanagerBinary === undefined)
  console.log(`not run, because prometheus-alertmanager is not installed: ${title}`);
else
  describe(title, { timeout: 90_000 }, () => {
    let world: World;
    let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
    beforeAll(async () => {
      world = await startWorld();
      alertmanager = await startAlertmanager(alertmanagerBinary as string, world);
    });
    afterAll(async () => {
      await alertmanager.stop();
      await world.close();
    });

    const alert = async (endsAt?: Date) => {
      const labels = { alertname: 'HighErrorRate', service: SERVICE, severity: 'critical' };
      const startsAt = new Date(Date.now() - 120_000);
      const answer = await fetch(`${alertmanager.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([{ labels, annotations: { summary: '8 % fail' }, startsAt, endsAt }]),
      });
      expect(answer.status).toBe(200);
    };

    it('opens one incident and one page for one alert, and ends its own', async () => {
      await alert();
      const [id] = await world.slack.waitFor(
        'the incident',
        async () => {
          const ids = await openedAbout(world, SERVICE);
          return ids.length === 0 ? undefined : ids;
        },
        WAIT_MS,
      );
      const card = { room: await roomOfIncident(world, id as number), key: `card:${id}` };
      const said = await textWith(world, card, ', opened by Alertmanager', WAIT_MS);
      expect(said).toContain('HighErrorRate: 8 % fail');
      expect(world.pagerduty.incidents).toHaveLength(1);
      const [theirs] = world.pagerduty.incidents;
      await world.slack.waitFor('the note', () =>
        world.pagerduty.notes.find(({ incidentId }) => incidentId === theirs?.id),
      );
      await alert(new Date());
      await world.slack.waitFor('the end of it in PagerDuty', () => theirs?.status === 'resolved', WAIT_MS);
      expect(await openedAbout(world, SERVICE)).toEqual([id]);
      expect(world.pagerduty.incidents).toHaveLength(1);
    });
  });
