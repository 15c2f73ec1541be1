package aec.harness;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.netflix.spinnaker.clouddriver.security.config.SecurityConfig;
import com.netflix.spinnaker.filters.AuthenticatedRequestFilter;
import com.netflix.spinnaker.kork.boot.DefaultPropertiesBuilder;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.core.Ordered;
import org.springframework.http.MediaType;
import org.springframework.http.converter.json.Jackson2ObjectMapperBuilder;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.web.filter.ShallowEtagHeaderFilter;
import org.springframework.web.servlet.config.annotation.ContentNegotiationConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Boots Clouddriver's published modules. The web module (main class and controllers) is not
 * published, so this class and {@link CacheApi} stand in for it.
 */
@Configuration
@EnableScheduling
@EnableAutoConfiguration(
    excludeName = {
      "org.springframework.boot.autoconfigure.batch.BatchAutoConfiguration",
      "org.springframework.boot.autoconfigure.groovy.template.GroovyTemplateAutoConfiguration",
      "org.springframework.boot.autoconfigure.gson.GsonAutoConfiguration",
      "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration"
    })
@Import(SecurityConfig.class)
@ComponentScan({
  "com.netflix.spinnaker.config",
  "com.netflix.spinnaker.clouddriver.config",
  "com.netflix.spinnaker.clouddriver.security",
  "aec.harness"
})
public class Main implements WebMvcConfigurer {

  public static void main(String[] args) {
    // Several modules define beans of the same name and rely on the last one winning.
    System.setProperty("spring.main.allow-bean-definition-overriding", "true");
    var defaults =
        new DefaultPropertiesBuilder().property("spring.application.name", "clouddriver").build();
    var context = new SpringApplicationBuilder(Main.class).properties(defaults).run(args);
    // The training run of build.sh, which archives the classes loaded so far.
    if (Boolean.getBoolean("aec.exit-when-ready")) {
      System.exit(SpringApplication.exit(context));
    }
  }

  @Bean
  @Primary
  ObjectMapper objectMapper(Jackson2ObjectMapperBuilder builder) {
    return builder.createXmlMapper(false).build();
  }

  @Bean
  FilterRegistrationBean<ShallowEtagHeaderFilter> etagFilter() {
    return new FilterRegistrationBean<>(new ShallowEtagHeaderFilter());
  }

  @Bean
  FilterRegistrationBean<AuthenticatedRequestFilter> authenticatedRequestFilter() {
    var registration = new FilterRegistrationBean<>(new AuthenticatedRequestFilter(true));
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    return registration;
  }

  @Override
  public void configureContentNegotiation(ContentNegotiationConfigurer negotiation) {
    negotiation.ignoreAcceptHeader(true).defaultContentType(MediaType.APPLICATION_JSON);
  }
}
