/** What the page of the tests gives to the tests, which run outside of it. */
interface Window {
	scan: import('./scan-page.suite.ts').ScanPage;
}
