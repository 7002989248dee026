// Addresses of files that the build puts beside the page (`…?url`).
/// <reference types="vite/client" />

/** Version of the package, put in by the build. */
declare const __STILEWARD_VERSION__: string;
