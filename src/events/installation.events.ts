// What happened once to the whole installation. Streams `operator` and `pepper`.
export type InstallationEvent =
  | {
      readonly type: 'OperatorKeyIssued';
      readonly data: {
        readonly prefix: string;
        /** HMAC-SHA-256 of the key under the installation's pepper, hexadecimal. */
        readonly digest: string;
      };
    }
  | {
      readonly type: 'PepperChosen';
      readonly data: {
        /** Tells one pepper from another and nothing else about it. */
        readonly fingerprint: string;
      };
    };
