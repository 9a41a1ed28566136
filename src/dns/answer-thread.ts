import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { AnswerService } from './answer-service.ts';
import { cookieSecrets } from './cookie-secrets.ts';

runOnPollLoop((context) => {
  const { sockets, cookieKey } = context;
  return new AnswerService(context, {
    openSocket: ({ fd }) => sockets.adopt(fd),
    secretOf: cookieSecrets(cookieKey),
  });
});
