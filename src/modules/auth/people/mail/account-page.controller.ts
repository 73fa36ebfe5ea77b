// Where the links of mails lead: one page that hands the token on and asks for what goes with it: a new password, or
// who accepts an invitation. The token is
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
  /* Or what is shown as a block would be shown although it is hidden. */
  [hidden] { display: none !important }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 15vh auto; padding: 0 1rem }
  label, button, input:not([type=checkbox]) { display: block; font: inherit; margin-top: 1rem }
  input:not([type=checkbox]) { width: 100%; box-sizing: border-box; padding: .4rem }
</style>
<main>
  <h1>Tidemark</h1>
  <form>
    <p role="status">This page needs JavaScript, and the whole link of the mail.</p>
    <label hidden>E-mail address<input name="email" type="email" autocomplete="username"></label>
    <label hidden><span>Password</span><input name="password" type="password"></label>
    <label hidden>Code of the authenticator app, if you use one<input name="totp" autocomplete="one-time-code"></label>
    <label hidden><input name="isNew" type="checkbox"> I have no account yet: make one</label>
    <button hidden>Confirm</button>
  </form>
</main>
<script src="${SCRIPT_PATH}"></script>
</html>
`;

/** Says of each action where its token goes, which fields it needs, what to ask, and what to say then. */
const SCRIPT = `const actions = {
  verify: { path: '/v1/auth/verify', needs: [], ask: 'Confirm your e-mail address.', done: 'Your address is confirmed.' },
  reset: {
    path: '/v1/auth/password/reset',
    needs: ['password'],
    ask: 'Choose a new password.',
    done: 'Sign in with the new password.',
  },
  invitation: {
    path: '/v1/invitations/accept',
    needs: ['email', 'password', 'totp', 'isNew'],
    ask: 'Sign in to accept the invitation.',
    done: 'You are a member now.',
  },
};
const [name, token] = location.hash.slice(1).split('=');
const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
const [form, status, button] = ['form', '[role=status]', 'button'].map((one) => document.querySelector(one));
const { email, password, totp, isNew } = form.elements;
const show = (needs) => {
  for (const input of form.querySelectorAll('input')) input.parentElement.hidden = !needs.includes(input.name);
};
if (action && token) {
  history.replaceState(null, '', location.pathname);
  status.textContent = action.ask;
  password.autocomplete = name === 'reset' ? 'new-password' : 'current-password';
  show(action.needs);
  button.hidden = false;
}

/** @throws what is to be said */
async function post(path, body, key) {
  const headers = { 'content-type': 'application/json', ...(key && { authorization: 'Bearer ' + key }) };
  const request = { method: 'POST', headers, body: JSON.stringify(body), credentials: 'omit' };
  const answer = await fetch(path, request).catch(() => undefined);
  const said = await answer?.json().catch(() => undefined);
  if (answer?.ok) return said;
  const faults = said?.errors?.map(({ message }) => message).join('; ');
  throw [said?.detail ?? 'Try again later.', faults].filter(Boolean).join(' ');
}

/** Somebody who accepts is signed in for that, and out again. */
async function accept() {
  const credentials = { email: email.value, password: password.value };
  if (isNew.checked) {
    const { verificationRequired } = await post('/v1/auth/register', { ...credentials, invitation: token });
    isNew.checked = false;
    if (verificationRequired)
      throw 'Confirm your address by the mail that was sent to you, then sign in here, or open the link of the invitation again.';
  }
  const tokens = await post('/v1/auth/login', { ...credentials, ...(totp.value && { totp: totp.value }) });
  try {
    await post(action.path, { token }, tokens.access_token);
  } finally {
    await post('/v1/auth/logout', {}, tokens.access_token);
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!action || button.hidden) return;
  button.disabled = true;
  try {
    if (name === 'invitation') await accept();
    else await post(action.path, name === 'reset' ? { token, password: password.value } : { token });
    show([]);
    button.hidden = true;
    status.textContent = action.done;
  } catch (said) {
    status.textContent = String(said);
  }
  button.disabled = false;
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
