// Data that lie in files: what is read, and how what is cut short or wrong is refused.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.hpp"
#include "tests/support/cifar_files.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/data/text.hpp"
#include "workloads/trace/safetensors.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

Model model_of(const std::string& text) {
  Json json = Json::parse(text, "test");
  return workload_model(JsonReader(json, "test"));
}

std::unique_ptr<Dataset> data_in(const ScratchFolder& folder, const std::string& name, const Model& model,
                                 const std::string& more = "", const std::string& path = ".") {
  Json json = Json::parse("{\"name\": \"" + name + "\", \"path\": \"" + path + "\"" + more + "}", "data");
  return make_dataset(JsonReader(json, folder / "scenario.json"), model, 1);
}

std::string refused(const ScratchFolder& folder, const std::string& name, const Model& model,
                    const std::string& more = "", const std::string& path = ".") {
  std::string message = refusal([&] { data_in(folder, name, model, more, path); });
  return without(without(message, folder / "."), folder.path());
}

TEST(Cifar, IsReadRecordByRecord) {
  ScratchFolder folder;
  write_cifar10(folder);
  auto data = data_in(folder, "cifar10", model_of(R"("resnet20")"));
  EXPECT_EQ(data->size(Split::train), 10u);
  EXPECT_EQ(data->size(Split::test), 1u);
  Batch batch;
  data->append(Split::train, 4, batch);
  EXPECT_EQ(batch.labels, (std::vector<std::int64_t>{3}));
  ASSERT_EQ(batch.features.size(), 3072u);
  // The first place of the red plane alone varies, by 48 about 0x40: a deviation of 48/√1024 over the plane.
  EXPECT_NEAR(batch.features[0], -32, 1e-3);
  EXPECT_EQ(batch.features[1], 0);
  EXPECT_EQ(batch.features[1024], 0);
  EXPECT_FALSE(data->describe().at("made").flag());
  EXPECT_EQ(data->describe().at("name").text(), "cifar10");
}

TEST(Cifar, HasFineLabelsOfAHundredClasses) {
  ScratchFolder folder;
  write_text_file(folder / "train.bin", "\x05" + cifar_record(77, 1));
  write_text_file(folder / "test.bin", "\x05" + cifar_record(99, 1));
  auto data = data_in(folder, "cifar100", model_of(R"({"name": "resnet20", "classes": 100})"));
  EXPECT_EQ(data->class_of(0), 77);
}

TEST(Cifar, ThatIsCutShortOrWrongIsRefusedWithItsPlace) {
  ScratchFolder folder;
  Model model = model_of(R"("resnet20")");
  write_cifar10(folder);
  std::filesystem::resize_file(folder / "data_batch_4.bin", 6000);
  EXPECT_EQ(
      refused(folder, "cifar10", model),
      "data_batch_4.bin: at byte 3073: a record of 3073 bytes begins, and 2927 are left: the file is cut "
      "short, or not of this form");
  write_text_file(folder / "data_batch_4.bin", cifar_record(1, 0) + cifar_record(10, 0));
  EXPECT_EQ(refused(folder, "cifar10", model),
            "data_batch_4.bin: at byte 3073: the label is 10, and there are 10 classes");
  write_text_file(folder / "data_batch_4.bin", "");
  EXPECT_EQ(refused(folder, "cifar10", model), "data_batch_4.bin: at byte 0: the file is empty");
  std::filesystem::remove(folder / "data_batch_4.bin");
  EXPECT_EQ(refused(folder, "cifar10", model), "data_batch_4.bin: cannot be read: No such file or directory");
  EXPECT_EQ(refused(folder, "cifar10", model_of(R"({"name": "resnet20", "classes": 100})")),
            "cifar10: samples are 3x32x32 in 10 classes; the model takes 3x32x32 in 100 classes (its side, "
            "channels "
            "and classes are parameters)");
}

std::string idx(char rank, std::vector<unsigned> extents, const std::string& data) {
  std::string bytes{0, 0, 8, rank};
  for (unsigned extent : extents)
    for (int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(extent >> shift & 255));
  return bytes + data;
}

void write_mnist(const ScratchFolder& folder) {
  for (const char* prefix : {"train", "t10k"}) {
    write_text_file(folder / (std::string(prefix) + "-images-idx3-ubyte"),
                    idx(3, {2, 28, 28}, std::string(784, 'a') + std::string(784, 'b')));
    write_text_file(folder / (std::string(prefix) + "-labels-idx1-ubyte"), idx(1, {2}, "\x03\x07"));
  }
}

const char* const kDigits = R"({"name": "mlp", "side": 28, "channels": 1})";

TEST(Mnist, IsReadFromIdxFiles) {
  ScratchFolder folder;
  write_mnist(folder);
  auto data = data_in(folder, "fashion_mnist", model_of(kDigits));
  EXPECT_EQ(data->describe().at("name").text(), "fashion_mnist");
  EXPECT_EQ(data->class_of(1), 7);
  Batch batch;
  data->append(Split::train, 0, batch);
  data->append(Split::train, 1, batch);
  EXPECT_EQ(batch.features.front(), -1);  // zero mean and unit deviation of two values
  EXPECT_EQ(batch.features.back(), 1);
}

TEST(Mnist, ThatIsCutShortOrWrongIsRefusedWithItsPlace) {
  ScratchFolder folder;
  Model model = model_of(kDigits);
  const std::string images = "train-images-idx3-ubyte", labels = "train-labels-idx1-ubyte";
  write_mnist(folder);
  std::filesystem::resize_file(folder / images, 1000);
  EXPECT_EQ(refused(folder, "mnist", model),
            images + ": at byte 1000: the header tells of 1568 bytes, and 984 follow it");
  std::filesystem::resize_file(folder / images, 9);
  EXPECT_EQ(refused(folder, "mnist", model),
            images + ": at byte 9: the file ends inside its header of 16 bytes");
  write_text_file(folder / images, "\x1f\x8b\x08" + std::string(40, '\0'));
  EXPECT_EQ(
      refused(folder, "mnist", model),
      images +
          ": at byte 0: the file must begin with 2051 (bytes of rank 3), got 529205248: it is packed by "
          "gzip, unpack it first");
  write_text_file(folder / images, idx(3, {2, 32, 28}, std::string(1792, 'a')));
  EXPECT_EQ(refused(folder, "mnist", model), images + ": at byte 8: must be 28, got 32");
  write_mnist(folder);
  write_text_file(folder / labels, idx(1, {2}, "\x03\x0a"));
  EXPECT_EQ(refused(folder, "mnist", model),
            labels + ": at byte 9: the label is 10, and there are 10 classes");
}

/// As manifests and reports say it.
std::string digest_in(const ScratchFolder& folder, const std::string& name, const Model& model,
                      const std::string& path = ".") {
  return data_in(folder, name, model, "", path)->describe().at("sha256").text();
}

TEST(ImageFiles, OfOtherContentsAreOtherData) {
  ScratchFolder folder;
  write_cifar10(folder);
  write_mnist(folder);
  for (const auto& [name, model, test_file, other] :
       {std::tuple("cifar10", R"("resnet20")", "test_batch.bin", cifar_record(4, '\x40')),
        std::tuple("mnist", kDigits, "t10k-labels-idx1-ubyte", idx(1, {2}, "\x03\x06"))}) {
    const std::string before = digest_in(folder, name, model_of(model));
    EXPECT_EQ(before.size(), 64u);
    EXPECT_EQ(digest_in(folder, name, model_of(model)), before);
    write_text_file(folder / test_file, other);
    EXPECT_NE(digest_in(folder, name, model_of(model)), before) << name;
  }
}

TEST(DataFiles, AreRefusedBeforeTheyAreReadWhereMemoryDoesNotHoldThem) {
  ScratchFolder folder;
  write_cifar10(folder);
  write_text_file(folder / "text", "abc");
  constexpr std::uintmax_t kTerabytes = 4'000'000'000'000;  // with nothing in them
  std::error_code error;
  for (const char* file : {"data_batch_1.bin", "text"})
    std::filesystem::resize_file(folder / file, kTerabytes, error);
  if (error) GTEST_SKIP() << "the file system has no files of this size";
  EXPECT_THAT(refused(folder, "cifar10", model_of(R"("resnet20")")),
              testing::HasSubstr("takes 4 TB of memory once it is read, and "));
  EXPECT_THAT(refused(folder, "text", model_of(R"("lstm_characters")"), "", "text"),
              testing::StartsWith("text: takes 24 TB of memory once it is read, and "));
}

/// Two tensors behind their header.
void write_tensors(const std::string& path, const std::vector<SafetensorsTensor>& tensors,
                   const std::string& data) {
  write_text_file(path, safetensors_header_bytes(tensors) + data);
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(SafetensorsData, AreSamplesOfAnyModel) {
  ScratchFolder folder;
  Model model = model_of(R"({"name": "ncf", "users": 5, "items": 4})");
  auto write = [&](std::vector<std::int64_t> rows, std::vector<std::int32_t> labels) {
    write_tensors(folder / "own", {{"input", "I64", {2, 2}, 0, 32}, {"labels", "I32", {2}, 32, 40}},
                  bytes_of(rows) + bytes_of(labels));
  };
  write({4, 3, 0, 1}, {1, 0});
  auto data = data_in(folder, "safetensors", model, "", "own");
  Batch batch;
  data->append(Split::train, 0, batch);
  EXPECT_EQ(batch.numbers, (std::vector<std::int64_t>{4, 3}));
  EXPECT_EQ(batch.labels, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(data->size(Split::train), 2u);
  EXPECT_EQ(data->size(Split::test), 0u);

  const std::string before = digest_in(folder, "safetensors", model, "own");
  EXPECT_EQ(digest_in(folder, "safetensors", model, "own"), before);
  write({4, 3, 0, 1}, {1, 1});
  EXPECT_NE(digest_in(folder, "safetensors", model, "own"), before) << "other contents are other data";

  EXPECT_EQ(data->classes(), 2);
  write({4, 3, 0, 1}, {1, static_cast<std::int32_t>(kNoLabel)});
  EXPECT_EQ(data_in(folder, "safetensors", model, "", "own")->classes(), 0) << "a sample of no class";

  write({4, 4, 0, 1}, {1, 0});
  EXPECT_EQ(refused(folder, "safetensors", model, "", "own"),
            "own: 'input' is 4 at element 1; it must lie in [0, 4)");
  write({4, 3, 0, 1}, {1, -1});
  EXPECT_EQ(refused(folder, "safetensors", model, "", "own"),
            "own: 'labels' is -1 at element 1; it must lie in [0, 2)");
  EXPECT_EQ(refused(folder, "safetensors", model, R"(, "labels": "y")", "own"),
            "own: 'y' is not in the file; it has input, labels");
  std::string image_model = refused(folder, "safetensors", model_of(R"("mlp")"), "", "own");
  EXPECT_TRUE(image_model.ends_with(": 'input' must be F32, got I64")) << image_model;
}

std::vector<std::string> units_of(std::string_view text, TextUnit unit) {
  std::vector<std::string> units;
  cut_text(text, unit, [&](std::string_view one) { units.emplace_back(one); });
  return units;
}

TEST(Texts, AreCutIntoUnits) {
  EXPECT_EQ(units_of("It's  two.\nWords", TextUnit::words),
            (std::vector<std::string>{"it's", "two", ".", "words"}));
  EXPECT_EQ(units_of("a b", TextUnit::characters), (std::vector<std::string>{"a", " ", "b"}));
  EXPECT_TRUE(units_of("", TextUnit::words).empty());
}

TEST(Texts, GiveTheNextTokensAndHoldTheirEndBack) {
  ScratchFolder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "abc";
  write_text_file(folder / "text", text);
  Model model = model_of(R"({"name": "lstm_characters", "vocabulary": 3, "length": 5})");
  auto data = data_in(folder, "text", model, R"(, "stride": 3)", "text");
  // 270 tokens for training, 30 for testing, samples of 6.
  EXPECT_EQ(data->size(Split::train), (270u - 6) / 3 + 1);
  EXPECT_EQ(data->size(Split::test), (30u - 6) / 3 + 1);
  Batch batch;
  data->append(Split::train, 88, batch);
  // 'a' and 'b' are as frequent as 'c', and come first: the vocabulary has room for two and for what is
  // unknown.
  EXPECT_EQ(batch.numbers, (std::vector<std::int64_t>{1, 2, 0, 1, 2}));
  EXPECT_EQ(batch.labels, (std::vector<std::int64_t>{2, 0, 1, 2, 0}));
  EXPECT_EQ(refused(folder, "text", model_of(R"({"name": "lstm_characters", "length": 400})"), "", "text"),
            "text: the text has no room for a sample of 401 tokens");
}

TEST(Texts, OfThreeDocumentsHoldTheLastBackUnlessItsNameIsAskedFor) {
  ScratchFolder folder;
  for (const char* name : {"a", "b", "c"}) write_text_file(folder / name, std::string(100, name[0]));
  std::filesystem::create_symlink("a", folder / "d");
  auto next =
      data_in(folder, "text", model_of(R"({"name": "lstm_characters", "length": 9})"), R"(, "stride": 10)");
  EXPECT_EQ(next->size(Split::train), 20u);
  EXPECT_EQ(next->size(Split::test), 10u);
  EXPECT_EQ(next->class_of(10), 1);
  Batch batch;
  next->append(Split::test, 0, batch);
  EXPECT_EQ(batch.numbers, std::vector<std::int64_t>(9, 0));  // a character that training never saw
  auto document =
      data_in(folder, "text", model_of(R"({"name": "gru_classifier", "classes": 3, "length": 10})"),
              R"(, "stride": 10, "unit": "characters")");
  EXPECT_EQ(document->size(Split::test), 3u);
  Batch labelled;
  document->append(Split::test, 2, labelled);
  EXPECT_EQ(labelled.labels, (std::vector<std::int64_t>{2}));
}

TEST(Texts, OfLicencesAreThoseOfDebian12OrRefused) {
  ScratchFolder folder;
  write_text_file(folder / "GPL-2", "a text");
  Model model = model_of(R"("lstm_characters")");
  std::string message = refused(folder, "licences", model);
  EXPECT_NE(message.find("these are not the licence texts of Debian 12: their digest is "), message.npos)
      << message;
  EXPECT_NE(message.find("; as any text they go by {\"name\": \"text\", \"path\": …}"), message.npos)
      << message;
}

TEST(Texts, OfDebian12AreItsLicences) {
  const std::string folder = "/usr/share/common-licenses", release = "/etc/os-release";
  const bool debian_12 = std::filesystem::exists(release) && std::filesystem::exists(folder) &&
                         read_text_file(release).find("VERSION_CODENAME=bookworm") != std::string::npos;
  if (!debian_12) GTEST_SKIP() << "this is no Debian 12 with " << folder;
  ScratchFolder scratch;
  auto data = data_in(scratch, "licences", model_of(R"("lstm_characters")"), "", folder);
  EXPECT_EQ(data->describe().at("name").text(), "licences");
  EXPECT_EQ(data->describe().at("documents").integer(), 14);
  EXPECT_GT(data->size(Split::train), 0u);
}

}  // namespace
}  // namespace traincast
