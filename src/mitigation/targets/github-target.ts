import type { GithubConfig, GithubPlace } from '../../config/targets.ts';
import type { Setting } from '../serving.ts';
import { githubConnection, repositoryRoot } from './github-connection.ts';
import { changesAt } from './github-history.ts';
import { readPlace, refusesAt, writePlace } from './github-places.ts';
import { type Following, followWorkflow } from './github-workflow.ts';
import type { Connection } from './vendor-request.ts';
import { type VendorTarget, vendorTarget } from './vendor-target.ts';

const FOLLOWING: Following = { followMs: 20_000, pauseMs: 2_000 };

/**
 * A GitHub repository: each setting stands in a variable or a file of it. It is written directly, or by a workflow that
 * is followed to its end; what stands there afterwards is the truth either way.
 */
export function githubTarget(
  config: GithubConfig,
  serves: { service: string; environment: string },
  timing: Pick<Connection, 'timeoutMs'> & Partial<Following> = {},
): VendorTarget {
  const placeOf = (setting: Setting) => config.settings[setting] as GithubPlace;
  const root = repositoryRoot(config.repository);
  const { followMs = FOLLOWING.followMs, pauseMs = FOLLOWING.pauseMs, ...deadline } = timing;
  const at = { root, branch: config.branch };
  return vendorTarget(
    {
      describe: `GitHub ${config.repository}@${config.branch}`,
      byHand: `${webOf(config.url)}/${config.repository}`,
      settings: Object.keys(config.settings),
      can: (setting) => Object.hasOwn(config.settings, setting),
      refuses: ({ setting, to }) => refusesAt(placeOf(setting), setting, to),
      readOne: (operation, setting) => readPlace(operation, { ...at, place: placeOf(setting), setting }),
      async change(change) {
        const { step } = change;
        const place = placeOf(step.setting);
        const { workflow } = place;
        if (workflow === undefined) {
          await writePlace(change, { ...at, place, setting: step.setting });
          return;
        }
        await followWorkflow(change, { ...at, ...serves, workflow, following: { followMs, pauseMs } });
      },
      async changes(operation, since) {
        const found = Object.entries(config.settings).map(([setting, place]) =>
          changesAt(operation, { ...at, place, setting, since }),
        );
        return (await Promise.all(found)).flat();
      },
    },
    { ...githubConnection(config), ...deadline },
  );
}

/** api.github.com → github.com; an Enterprise server has both on one host. */
function webOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host.replace(/^api\./, '')}`;
}
