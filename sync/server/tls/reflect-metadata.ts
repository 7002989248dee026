/**
 * `@peculiar/x509` finds its algorithms through tsyringe, which refuses to load without the metadata functions of the
 * abandoned decorators proposal. Neither stores any, so functions that find none are the whole of what they need.
 * It must be imported before the library.
 */
const none = () => undefined;

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { getMetadata: none, getOwnMetadata: none });
