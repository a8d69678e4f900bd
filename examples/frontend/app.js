// The whole way of an account with JSON: sign up, verify, log in, reset, change the address.
'use strict';

// What a link brings. It is taken out of the address bar, so that it is in no bookmark and no history.
let token = '';
// The address that was entered last, for the fields of the next page.
let address = '';

// What people read for an error, by its error_code. The API's own sentences are for programmers.
const TEXTS = {
  account_disabled: 'This account is disabled. Please write to us.',
  account_not_verified: 'Your address is not verified yet. Please follow the link in our email.',
  already_verified: 'This account is verified already.',
  invalid_code: 'This code is wrong or too old. The link in the email works as well.',
  invalid_email_or_password: 'The address or the password is wrong.',
  invalid_token: 'This link was used already, or a part of it is missing.',
  not_authenticated: 'Please log in.',
  passwords_do_not_match: 'The two passwords are not the same.',
  token_expired: 'This link is too old. Please ask for a new one.',
  token_revoked: 'You were logged out. Please log in again.',
  too_many_requests: 'That was too often.',
  unavailable: 'We cannot do this now.',
  user_exists: 'This address has an account already. Log in, or choose a new password.',
  user_not_found: 'This account does not exist any more.',
  validation_error: 'Please correct this:',
};

// The text of an answer that is an error: with the fields that are wrong, and with the time to wait.
function textOf(answer, response) {
  const fields = (answer.errors ?? []).map(({field, message}) => `${field} ${message}.`);
  const seconds = response.headers.get('Retry-After');
  const wait = seconds && `Please try again in ${seconds} seconds.`;
  return [TEXTS[answer.error_code] ?? answer.message, ...fields, wait].filter(Boolean).join(' ');
}

// One call of the API.
async function call(method, path, body, bearer) {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (bearer) headers['Authorization'] = `Bearer ${bearer}`;
  const response = await fetch(API + path, {method, headers, body: body && JSON.stringify(body)});
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(textOf(answer, response)), {status: response.status});
}

// A call of the person who is logged in. An access token that has expired is renewed once.
async function callAsMe(method, path, body) {
  const session = JSON.parse(sessionStorage.getItem('session') ?? '{}');
  try {
    return await call(method, path, body, session.access);
  } catch (error) {
    if (error.status !== 401 || !session.refresh) throw error;
    const renewed = await call('POST', '/refresh_token', null, session.refresh);
    session.access = renewed.access_token;
    session.refresh = renewed.refresh_token ?? session.refresh;
    sessionStorage.setItem('session', JSON.stringify(session));
    return call(method, path, body, session.access);
  }
}

// Without a session, or when the service has ended it.
function endSession() {
  sessionStorage.removeItem('session');
  location.hash = '#/log-in';
}

// What each form does with its fields. The result is shown.
const actions = {
  async signUp(fields) {
    // Emails come in the language of the browser.
    await call('POST', '/signup', {...fields, locale: navigator.language});
    location.hash = '#/check-email';
    return `We sent an email to ${fields.email}.`;
  },
  resend: async (fields) => (await call('POST', '/resend-verification', fields)).message,
  verifyByCode: async (fields) => (await call('POST', '/verify', fields)).message,
  verify: async () => (await call('POST', `/verify/${token}`)).message,
  notMe: async () => (await call('POST', `/not-me/${token}`)).message,
  async logIn(fields) {
    const {access_token: access, refresh_token: refresh} = await call('POST', '/login', fields);
    sessionStorage.setItem('session', JSON.stringify({access, refresh}));
    location.hash = '#/me';
    return 'You are logged in.';
  },
  async logOut() {
    const {message} = await callAsMe('POST', '/logout');
    endSession();
    return message;
  },
  forgotten: async (fields) => (await call('POST', '/password-reset-request', fields)).message,
  resetByCode: async (fields) => (await call('POST', '/password-reset-confirm', fields)).message,
  reset: async (fields) => (await call('POST', `/password-reset-confirm/${token}`, fields)).message,
  changeAddress: async (fields) => (await callAsMe('POST', '/email-change-request', fields)).message,
  addressByCode: async (fields) => (await callAsMe('POST', '/email-change-confirm', fields)).message,
  confirmAddress: async () => (await call('POST', `/email-change-confirm/${token}`)).message,
  async undo() {
    const {message} = await call('POST', `/email-change-undo/${token}`);
    endSession();
    return message;
  },
};

// What a page loads when it is shown.
const loads = {
  async me() {
    const me = await callAsMe('GET', '/me');
    document.getElementById('account').textContent = `${me.first_name} ${me.last_name}, ${me.email}`;
  },
};

function say(text) {
  document.getElementById('answer').textContent = text;
}

// Shows the page that the fragment names: `#/verify?token=…`. Opening a link does nothing else: mail scanners open links
// too, so a person presses a button.
async function show() {
  const [name, query] = location.hash.replace('#/', '').split('?');
  const given = new URLSearchParams(query).get('token');
  if (given) {
    token = given;
    history.replaceState(null, '', `#/${name}`);
    say('');
  }
  const page = document.querySelector(`template[id="${CSS.escape(name)}"]`) ?? document.getElementById('sign-up');
  document.querySelector('main').replaceChildren(page.content.cloneNode(true));
  document.querySelectorAll('main input[name="email"]').forEach((input) => { input.value = address; });
  await report(async () => loads[page.id]?.());
}

async function report(work) {
  try {
    const text = await work();
    if (text) say(text);
  } catch (error) {
    say(error.message);
  }
}

document.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = Object.fromEntries(new FormData(form));
  address = fields.email ?? address;
  say('');
  report(() => actions[form.dataset.action](fields));
});
addEventListener('hashchange', show);
show();
