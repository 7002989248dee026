/** What a phone is to trust. */
export interface TrustFacts {
	/** What devices pin: SHA-256 of the SPKI, base64url. */
	readonly fingerprint: string;
	/** SHA-256 of the authority's certificate, as phones show it; absent where the operator has a certificate of their own. */
	readonly certificate: string | undefined;
}

/** A page in Chinese and English with the steps by which a phone comes to trust the venue's authority. */
export function trustPage({ fingerprint, certificate }: TrustFacts): string {
	const pin = `<p>Pin <code>${fingerprint}</code></p>`;
	if (certificate === undefined) return page('信任本服务器 · Trust this server', ownCertificate + pin);
	const groups = `<p><code>${groupsOf(certificate)}</code></p>`;
	const link = '<p><a href="venue-ca.crt">venue-ca.crt</a></p>';
	return page('信任本场馆 · Trust this venue', `${chinese(groups, link)}${english(groups, link)}${pin}`);
}

/** A page that says that nobody has built the handheld, and how it is built. */
export function notBuiltPage(): string {
	return page(
		'手持终端未构建 · The handheld is not built',
		`<section lang="zh-CN"><p>这台服务器上没有手持终端页面。请在安装目录中运行下面的命令，然后重新启动服务器：</p></section>
<section lang="en"><p>This server has no pages of the handheld. Run this where it is installed, and start the server again:</p></section>
<pre>node scripts/handheld-build.ts</pre>`,
	);
}

const ownCertificate = `<section lang="zh-CN"><p>本服务器使用运营方自己的证书，手机通常无需任何设置。若浏览器仍有警告，请联系管理员。</p></section>
<section lang="en"><p>This server shows a certificate of its operator; a phone usually needs nothing. If the browser warns all the
same, ask an administrator.</p></section>`;

/** Four digits at a time, so that two people can compare them aloud. */
function groupsOf(fingerprint256: string): string {
	return fingerprint256.replaceAll(':', '').replace(/.{4}(?=.)/g, '$& ');
}

function chinese(groups: string, link: string): string {
	return `<section lang="zh-CN"><h2>中文</h2><p>只需做一次。证书的 SHA-256 指纹：</p>${groups}
<p>请与办公室里的指纹逐组核对；不一致时不要安装，并通知管理员。</p>${link}
<h3>安卓</h3><ol><li>点上面的链接下载证书。</li><li>打开“设置”→“安全”→“加密与凭据”→“安装证书”→“CA 证书”（各机型的位置略有不同，可在设置中搜索“证书”）。</li>
<li>选择“仍然安装”，再选择 venue-ca.crt。</li><li>在“受信任的凭据”→“用户”中打开它，核对指纹。</li><li>重新打开浏览器，进入 <a href="./">手持终端</a>。</li></ol>
<h3>苹果 iOS</h3><ol><li>用 Safari 点上面的链接，允许下载描述文件。</li><li>打开“设置”→“已下载描述文件”，核对指纹后安装。</li>
<li>打开“设置”→“通用”→“关于本机”→“证书信任设置”，为它打开完全信任。</li><li>用 Safari 进入 <a href="./">手持终端</a>。</li></ol></section>`;
}

function english(groups: string, link: string): string {
	return `<section lang="en"><h2>English</h2><p>This is done once. SHA-256 fingerprint of the certificate:</p>${groups}
<p>Compare it, group by group, with the one at the office; where they differ, install nothing and tell an administrator.</p>${link}
<h3>Android</h3><ol><li>Follow the link above to download the certificate.</li><li>Open Settings, Security, Encryption &amp; credentials, Install a
certificate, CA certificate (models differ: search the settings for “certificate”).</li><li>Choose Install anyway, then venue-ca.crt.</li>
<li>Under Trusted credentials, User, open it and compare the fingerprint.</li><li>Restart the browser and open <a href="./">the handheld</a>.</li></ol>
<h3>iOS</h3><ol><li>Follow the link above in Safari and allow the profile to be downloaded.</li><li>Open Settings, Profile Downloaded,
compare the fingerprint and install it.</li><li>Open Settings, General, About, Certificate Trust Settings, and turn on full trust for it.</li>
<li>Open <a href="./">the handheld</a> in Safari.</li></ol></section>`;
}

function page(title: string, body: string): string {
	return `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>body{font:18px/1.6 system-ui,sans-serif;max-width:40rem;margin:1rem auto;padding:0 1rem}
code,pre{background:#eee;color:#000;padding:.2rem .4rem;overflow-wrap:anywhere;white-space:pre-wrap}</style>
<h1>${title}</h1>${body}</html>`;
}
