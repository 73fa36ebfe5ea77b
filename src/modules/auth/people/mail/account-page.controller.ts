// Where the links of mails lead: one page that hands the token on and, for a new password, asks for it. The token is
// behind the #, so it is in no request line. A click is needed, because programs that look through mail open links.
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { ACCOUNT_PAGE } from './account-mails.js';

const SCRIPT_PATH = `${ACCOUNT_PAGE}/page.js`;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Tidemark</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 15vh auto; padding: 0 1rem }
  label, input, button { display: block; font: inherit; margin-top: 1rem }
  input { width: 100%; box-sizing: border-box; padding: .4rem }
</style>
<main>
  <h1>Tidemark</h1>
  <form>
    <p role="status">This page needs JavaScript, and the whole link of the mail.</p>
    <label hidden>New password<input type="password" autocomplete="new-password"></label>
    <button hidden>Confirm</button>
  </form>
</main>
<script src="${SCRIPT_PATH}"></script>
</html>
`;

/** Says of each action where its token goes, what to ask, and what to say then. */
const SCRIPT = `const actions = {
  verify: { path: '/v1/auth/verify', ask: 'Confirm your e-mail address.', done: 'Your address is confirmed.' },
  reset: { path: '/v1/auth/password/reset', ask: 'Choose a new password.', done: 'Sign in with the new password.' },
};
const [name, token] = location.hash.slice(1).split('=');
const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
const [form, status, label, input, button] = ['form', '[role=status]', 'label', 'input', 'button'].map((one) =>
  document.querySelector(one),
);
if (action && token) {
  history.replaceState(null, '', location.pathname);
  status.textContent = action.ask;
  label.hidden = name !== 'reset';
  button.hidden = false;
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!action || button.hidden) return;
  button.disabled = true;
  const body = JSON.stringify(name === 'reset' ? { token, password: input.value } : { token });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(action.path, { method: 'POST', headers, body }).catch(() => undefined);
  button.disabled = false;
  if (answer?.ok) {
    label.hidden = button.hidden = true;
    status.textContent = action.done;
    return;
  }
  const problem = await answer?.json().catch(() => undefined);
  const said = problem?.errors?.map(({ message }) => message).join('; ');
  status.textContent = [problem?.detail ?? 'Try again later.', said].filter(Boolean).join(' ');
});
`;

@ApiExcludeController()
@Controller(ACCOUNT_PAGE)
export class AccountPageController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('page.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }
}
