import type { Connection } from './vendor-request.ts';

const API_VERSION = '2022-11-28';

/** How GitHub's API is reached. */
export function githubConnection(access: {
  url: string;
  token: string;
  allow_private: boolean;
}): Omit<Connection, 'timeoutMs'> {
  return {
    vendor: 'GitHub',
    url: access.url,
    headers: {
      authorization: `Bearer ${access.token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': API_VERSION,
    },
    allowPrivate: access.allow_private,
    secrets: [access.token],
  };
}

/** "OWNER/NAME" → "/repos/OWNER/NAME". */
export function repositoryRoot(repository: string): string {
  const [owner = '', name = ''] = repository.split('/');
  return `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
}

/** A path or a ref of several parts as it stands in an address. */
export function encodedParts(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
