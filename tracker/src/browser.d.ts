// What browsers have and TypeScript does not know yet.
interface Navigator {
  readonly globalPrivacyControl?: boolean;
}
interface Document {
  readonly prerendering?: boolean;
}
/** Said by the build: false leaves out what the small script does without. */
declare const FULL: boolean;
