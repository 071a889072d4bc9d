// A busy machine is slow: a component test waits for what it expects, not for a second.
import { configure } from '@testing-library/svelte';

configure({ asyncUtilTimeout: 20_000 });
