import { useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { KEY_HELP } from '../keys.ts';
import { useView } from '../view-context.ts';

export function Help() {
  const view = useView();
  const dialog = useRef<HTMLDialogElement>(null);
  useSignalEffect(() => {
    if (view.helpOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  });
  const close = () => {
    view.helpOpen.value = false;
  };
  return (
    <dialog ref={dialog} aria-labelledby="title-help" onClose={close}>
      <h2 id="title-help">Keys</h2>
      <dl>
        {KEY_HELP.map((entry) => (
          <>
            <dt>
              {entry.keys.map((key) => (
                <>
                  <kbd>{key}</kbd>{' '}
                </>
              ))}
            </dt>
            <dd>{entry.does}</dd>
          </>
        ))}
      </dl>
      <button type="button" class="prime" onClick={close}>
        Close
      </button>
    </dialog>
  );
}

export function Toast() {
  const { toast } = useView();
  return (
    <div class={`toast${toast.value === '' ? '' : ' on'}`} role="status">
      {toast.value}
    </div>
  );
}
