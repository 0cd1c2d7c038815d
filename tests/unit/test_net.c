#include "net/net.h"
#include "suite.h"

static struct nets *
parse(const char *text)
{
	const char *bad;
	struct nets *n = nets_parse(text, &bad);

	ck_assert_ptr_null(bad);
	return n;
}

START_TEST(lists)
{
	struct nets *n = parse(" 10.0.0.0/8,192.168.1.7\tfd00::/8, 172.16.0.0/12 ");

	ck_assert(nets_have(n, "10.255.0.1"));
	ck_assert(nets_have(n, "::ffff:10.255.0.1"));
	ck_assert(!nets_have(n, "11.0.0.1"));
	ck_assert(nets_have(n, "192.168.1.7"));
	ck_assert(!nets_have(n, "192.168.1.8"));
	ck_assert(nets_have(n, "172.31.255.255"));
	ck_assert(!nets_have(n, "172.32.0.0"));
	ck_assert(nets_have(n, "fdab::1"));
	ck_assert(!nets_have(n, "fe80::1"));
	ck_assert(!nets_have(n, ""));
	ck_assert(!nets_have(n, "10.0.0.1 "));
	ck_assert(!nets_have(n, "localhost"));
	nets_free(&n);
	ck_assert_ptr_null(parse(" , "));
	ck_assert(!nets_have(NULL, "10.0.0.1"));
	n = parse("0.0.0.0/0");
	ck_assert(nets_have(n, "8.8.8.8"));
	ck_assert(!nets_have(n, "2001:db8::1"));
	nets_free(&n);
}
END_TEST

START_TEST(what_is_no_network)
{
	static const char *const texts[] = { "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "localhost", "10.0.0.1;10.0.0.2" };
	const char *bad;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		ck_assert_ptr_null(nets_parse(texts[i], &bad));
		ck_assert_str_eq(bad, texts[i]);
	}
	ck_assert_ptr_null(nets_parse("10.0.0.0/8,nonsense,::1", &bad));
	ck_assert_str_eq(bad, "nonsense");
}
END_TEST

START_TEST(loopback)
{
	ck_assert(net_is_loopback("127.0.0.1"));
	ck_assert(net_is_loopback("127.9.9.9"));
	ck_assert(net_is_loopback("::1"));
	ck_assert(net_is_loopback("::ffff:127.0.0.1"));
	ck_assert(!net_is_loopback("128.0.0.1"));
	ck_assert(!net_is_loopback("::2"));
	ck_assert(!net_is_loopback(""));
}
END_TEST

START_TEST(behind_a_proxy)
{
	static const struct { const char *peer, *forwarded, *who; } rows[] = {
		{ "8.8.8.8", "10.0.0.1", "8.8.8.8" },                        /* not a proxy: what it says counts for nothing */
		{ "10.0.0.1", "9.9.9.9", "9.9.9.9" },
		{ "10.0.0.1", "1.1.1.1, 9.9.9.9", "9.9.9.9" },               /* the client invented the first */
		{ "10.0.0.1", "9.9.9.9, 10.0.0.2", "9.9.9.9" },              /* a proxy behind a proxy */
		{ "10.0.0.1", "10.0.0.3,10.0.0.2", "" },
		{ "10.0.0.1", NULL, "" },
		{ "10.0.0.1", "", "" },
		{ "10.0.0.1", "unknown", "" },
		{ "10.0.0.1", "9.9.9.9,", "" },
		{ "10.0.0.1", "2001:db8::1", "2001:db8::1" },
		{ "10.0.0.1", "9.9.9.9 , nonsense that is longer than any address could ever possibly be, or so", "" },
	};
	struct nets *proxies = parse("10.0.0.0/8");
	char who[NET_ADDRESS_SIZE];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		net_client(proxies, rows[i].peer, rows[i].forwarded, who);
		ck_assert_str_eq(who, rows[i].who);
	}
	net_client(NULL, "10.0.0.1", "9.9.9.9", who);
	ck_assert_str_eq(who, "10.0.0.1");
	nets_free(&proxies);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("net");

	tcase_add_test(tc, lists);
	tcase_add_test(tc, what_is_no_network);
	tcase_add_test(tc, loopback);
	tcase_add_test(tc, behind_a_proxy);
	return suite_run(tc, "net");
}
