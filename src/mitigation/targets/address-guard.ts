import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

const PRIVATE = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/** Where clouds answer for their machines, beside the link-local address. */
const METADATA = new Set(
  ['fd00:ec2::254', '100.100.100.200'].map((address) => ipaddr.process(address).toNormalizedString()),
);

/** Public addresses always; private and loopback ones when allowed; link-local and metadata addresses never. */
export function isAllowedAddress(address: string, allowPrivate: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (METADATA.has(parsed.toNormalizedString())) return false;
  const range = parsed.range();
  return range === 'unicast' || (allowPrivate && PRIVATE.has(range));
}

/**
 * A resolver for the connection itself, so that the address that was checked is the address that is dialled.
 * A host with one forbidden address is refused whole.
 */
export function guardedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const forbidden = addresses.find((found) => !isAllowedAddress(found.address, allowPrivate));
      const first = addresses[0];
      if (forbidden !== undefined || first === undefined)
        return callback(refusal(hostname, forbidden?.address), '');
      if (options.all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

/** Throws for a host that is written as a forbidden address, for which no resolver is asked. */
export function refuseForbiddenHost(url: URL, allowPrivate: boolean): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host) && !isAllowedAddress(host, allowPrivate)) throw refusal(host, host);
}

function refusal(host: string, address: string | undefined): Error {
  const cure = isAllowedAddress(address ?? '', true) ? '; set allow_private: true if that is meant' : '';
  return Object.assign(new Error(`${host} is ${address ?? 'no address'}, which is not allowed${cure}`), {
    code: 'ADDRESS_REFUSED',
  });
}
