// SimGrid platform files as topologies.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/platforms/platform_helpers.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

class Xml : public testing::Test {
 protected:
  std::string write(const std::string& body) {
    file_ = scratch_ / "platform.xml";
    std::ofstream(file_) << "<?xml version='1.0'?>\n"
                            "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                            "<platform version=\"4.1\">\n<zone id=\"z\" routing=\"Full\">\n"
                         << body << "</zone>\n</platform>\n";
    return file_;
  }

  std::string json(const std::string& more = "") const {
    return "{\"name\": \"xml\", \"path\": \"" + file_ + "\"" + more + "}";
  }
  std::string refused(std::uint32_t learners, const std::string& more = "") const {
    return make_topology(json(more))->refuses(learners);
  }

  ScratchFolder scratch_;
  std::string file_;
};

const std::string kHosts = R"(<host id="tremblay" speed="1Gf"/>
<host id="alpha" speed="1Gf"/>
<host id="jupiter" speed="1Gf"/>
)";
const std::string kLinks = R"(<link id="eth-0" bandwidth="1GBps" latency="10us"/>
<link id="wan1" bandwidth="2GBps" latency="5us" sharing_policy="SPLITDUPLEX"/>
)";
const std::string kRoutes =
    R"(<route src="tremblay" dst="alpha"><link_ctn id="eth-0"/><link_ctn id="wan1" direction="UP"/></route>
<route src="tremblay" dst="jupiter"><link_ctn id="eth-0"/></route>
<route src="alpha" dst="jupiter"><link_ctn id="wan1" direction="DOWN"/></route>
)";

TEST_F(Xml, TakesHostsInTheOrderOfTheFileAndTiersFromTheNamesOfLinks) {
  write(kHosts + kLinks + kRoutes);
  auto cluster = build(json(), 3);
  EXPECT_EQ(path(*cluster, 0, 1), "eth-0 wan1_UP");
  EXPECT_EQ(path(*cluster, 1, 0), "wan1_DOWN eth-0");
  EXPECT_EQ(path(*cluster, 1, 2), "wan1_DOWN");
  EXPECT_NEAR(cluster->latency(route(*cluster, 0, 1)), 15e-6, 1e-15);
  for (const Link& link : cluster->links()) {
    EXPECT_EQ(link.tier, link.name.substr(0, 3));
    EXPECT_DOUBLE_EQ(link.bandwidth, link.tier == "eth" ? 1e9 : 2e9);
  }
}

TEST_F(Xml, GivesTheLinksOfATierAnotherBandwidth) {
  write(kHosts + kLinks + kRoutes);
  auto wan = build(json(R"(, "bandwidth": "5GBps", "bandwidth_of": "wan")"), 3);
  for (const Link& link : wan->links()) EXPECT_DOUBLE_EQ(link.bandwidth, link.tier == "eth" ? 1e9 : 5e9);
  auto all = build(json(R"(, "bandwidth": "5GBps")"), 3);
  for (const Link& link : all->links()) EXPECT_DOUBLE_EQ(link.bandwidth, 5e9);
  EXPECT_EQ(refused(3, R"(, "bandwidth": "5GBps", "bandwidth_of": "lan")"),
            "platform file " + file_ + " has no link of tier 'lan'; did you mean 'wan'?; known: eth, wan");
}

TEST_F(Xml, IsReadFromTheFolderOfItsScenario) {
  write(kHosts + kLinks + kRoutes);
  Json value = Json::parse(R"({"name": "xml", "path": "platform.xml"})", "test");
  JsonReader reader(value, scratch_ / "scenario.json");
  const auto& entry = topology_catalog().find(reader);
  EXPECT_EQ(entry.make(read_parameters(reader, entry.name, entry.parameters))->refuses(3), "");
}

TEST_F(Xml, RefusesTooFewHosts) {
  write(kHosts + kLinks + kRoutes);
  EXPECT_EQ(refused(3), "");
  EXPECT_EQ(refused(4), file_ + " has 3 hosts, and 4 are needed");
  EXPECT_EQ(refused(1025), "a platform file can hold 1024 learners at most, got 1025");
}

TEST_F(Xml, RefusesAFileThatSimGridCannotReadAtItsLine) {
  write(kHosts + "<link id=\"eth-0\" bandwidth=\"1GBx\" latency=\"10us\"/>\n");
  EXPECT_EQ(refused(2), "platform file " + file_ + ": Parse error at " + file_ + ":8: unknown unit: GBx");
  write(kHosts + kRoutes);
  EXPECT_EQ(refused(2), "platform file " + file_ + ": Link not found: eth-0");
  file_ = scratch_ / "none.xml";
  EXPECT_THAT(refused(2), testing::HasSubstr("Unable to open '" + file_ + "'"));
}

TEST_F(Xml, RefusesWhatItsRoutesCannotSay) {
  write(kHosts + kLinks + kRoutes.substr(0, kRoutes.rfind("<route")));
  EXPECT_EQ(refused(3), "platform file " + file_ + ": the route from 'alpha' to 'jupiter' has no link");
  write(kHosts + "<link id=\"bus\" bandwidth=\"1GBps\" latency=\"0\" sharing_policy=\"FATPIPE\"/>\n" +
        "<route src=\"tremblay\" dst=\"alpha\"><link_ctn id=\"bus\"/></route>\n");
  EXPECT_EQ(refused(2),
            "platform file " + file_ +
                ": link 'bus' is a FATPIPE, which gives every flow all of its bandwidth; links here are "
                "shared: make it SHARED or SPLITDUPLEX");
  write(kHosts + kLinks +
        "<route src=\"tremblay\" dst=\"alpha\"><link_ctn id=\"eth-0\"/><link_ctn id=\"eth-0\"/></route>\n");
  EXPECT_EQ(refused(2),
            "platform file " + file_ + ": the route from 'tremblay' to 'alpha' crosses a link twice");
}

TEST_F(Xml, RefusesLinksThatAreNotLikeThoseHere) {
  const std::string route = "<route src=\"tremblay\" dst=\"alpha\"><link_ctn id=\"air\"/></route>\n";
  auto refusal = [&](const std::string& attributes) {
    write(kHosts + "<link id=\"air\" " + attributes + "/>\n" + route);
    std::string why = refused(2), before = "platform file " + file_ + ": ";
    EXPECT_TRUE(why.starts_with(before)) << why;
    return why.substr(before.size());
  };
  EXPECT_EQ(refusal(R"(bandwidth="0GBps" latency="1us")"), "link 'air' needs a bandwidth above 0, got 0 b/s");
  EXPECT_EQ(refusal(R"(bandwidth="1GBps" latency="-1us")"),
            "link 'air' needs a latency of 0 or more, got -1 us");
  EXPECT_EQ(
      refusal(R"(bandwidth="1GBps" latency="1us" sharing_policy="WIFI")"),
      "link 'air' is WIFI, whose bandwidth depends on who talks; links here have one: make it SHARED or "
      "SPLITDUPLEX");
}

TEST_F(Xml, RefusesWhatChangesWithTime) {
  std::ofstream(scratch_ / "slower.trace") << "0 1000000\n1 500000\nPERIODICITY 2\n";
  std::string link = R"(<link id="wire" bandwidth="1GBps" latency="1us" bandwidth_file=")" +
                     (scratch_ / "slower.trace") + "\"/>\n";
  std::string route = "<route src=\"tremblay\" dst=\"alpha\"><link_ctn id=\"wire\"/></route>\n";
  write(kHosts + "<!-- a link with a\n bandwidth_file=\"x\" -->\n" + link + route);
  EXPECT_EQ(refused(2), "platform file " + file_ +
                            ": line 10 lets something change with time, which nothing does here; leave its "
                            "profile out");
  write(kHosts + "<!-- without a bandwidth_file=\"x\" -->\n" + kLinks + kRoutes);
  EXPECT_EQ(refused(3), "");
}

// Two peers 100 ms apart by their coordinates, whose links have no latency.
TEST_F(Xml, RefusesLatenciesThatAreNotThoseOfLinks) {
  file_ = scratch_ / "peers.xml";
  std::ofstream(file_)
      << "<?xml version='1.0'?>\n"
         "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
         "<platform version=\"4.1\">\n<zone id=\"z\" routing=\"Vivaldi\">\n"
         "<peer id=\"a\" coordinates=\"0 0 0\" speed=\"1Gf\" bw_in=\"1GBps\" bw_out=\"1GBps\"/>\n"
         "<peer id=\"b\" coordinates=\"100 0 0\" speed=\"1Gf\" bw_in=\"1GBps\" bw_out=\"1GBps\"/>\n"
         "</zone>\n</platform>\n";
  EXPECT_EQ(refused(2), "platform file " + file_ +
                            ": the route from 'a' to 'b' takes 100 ms, and its links 0 s; latencies here are "
                            "those of links, not of coordinates");
}

TEST_F(Xml, SaysWhyADragonflyBreaksSimGrid) {
  const std::string shape = R"(topology="DRAGONFLY")";
  for (const std::string& attributes : {shape + R"( topo_parameters="8,1;2,1;2,1;1")",
                                        R"(topo_parameters=" 8, 1; 2, 1; 2, 1; 1" )" + shape}) {
    write(R"(<cluster id="c" prefix="h-" suffix="" radical="0-31" speed="1Gf" bw="1GBps" lat="1us"
)" + attributes +
          R"( sharing_policy="SPLITDUPLEX"/>
)");
    EXPECT_EQ(refused(16),
              "platform file " + file_ +
                  ": SimGrid broke off while it read the file; its dragonfly has 8 groups and 2 routers in a "
                  "chassis, and SimGrid 3.32 crashes unless there are as many; the topology 'dragonfly' has "
                  "no such limit");
  }
}

}  // namespace
}  // namespace traincast
